#include "kernel/guest/device.hpp"
#include "kernel/guest/modes.hpp"
#include "kernel/guest/system.hpp"
#include "kernel/pattern.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace guest {

namespace {

constexpr std::uint32_t counts_address = 61;
constexpr std::uint32_t sink_address = 62;
constexpr std::uint32_t source_address = 63;
constexpr std::uint32_t echo_address = 77;
using pattern::way;

double seconds_since(clock::time_point start)
{
    return std::chrono::duration<double>{clock::now() - start}.count();
}

/// Writes `count` messages with at most `in_flight` that are not answered, and hands each answer to `heard`.
template <typename Heard>
void stream(const node& through, std::uint32_t count, std::uint32_t in_flight, Heard heard)
{
    std::array<std::byte, pattern::longest> room{};
    std::array<std::byte, 1024> answer{};
    std::uint32_t sent = 0;
    std::uint32_t answered = 0;
    while (answered != count) {
        // All that may be under way, once half of it is answered: then neither side runs dry.
        const bool refill = sent - answered <= in_flight / 2;
        while (refill && sent != count && sent - answered != in_flight) {
            const int refused = through.try_write(pattern::make(way::to_host, sent, room));
            if (refused == EAGAIN)
                break;
            if (refused != 0) {
                errno = refused;
                fail_errno(fmt::format("write of message {}", sent));
            }
            ++sent;
        }
        const auto size = through.try_read(answer);
        if (size >= 0)
            heard(answered++, std::span<const std::byte>{answer}.first(static_cast<std::size_t>(size)));
        else if (errno != EAGAIN)
            fail_errno(fmt::format("read of message {}", answered));
        else if (through.await(5s) == 0)
            fail("{} messages were sent and {} answered, and nothing comes any more", sent, answered);
    }
}

/// What the host has counted.
struct counts {
    std::uint64_t kicks;
    std::uint64_t calls;
};

counts ask(const node& counter)
{
    counter.write({});
    const auto answer = counter.read();
    counts got{};
    check(answer.size() == sizeof got, "the host's counts");
    std::memcpy(&got, answer.data(), sizeof got);
    return got;
}

}  // namespace

void blocked()
{
    constexpr unsigned ring = 16;
    const auto path = wait_node("rpmsg-raw").path;
    std::array<std::byte, pattern::longest> room{};
    {
        const node raw{path};
        for (std::uint32_t n = 0; n != ring; ++n)
            raw.write(pattern::make(way::to_host, n, room));
        check(raw.try_write(room) == EAGAIN, "without a buffer a writer that does not wait gets EAGAIN");
        say("release");  // who kicks the host hears of it: no message gets through
    }
    const file waits{path, O_RDWR};
    double longest = 0;
    for (std::uint32_t n = ring; n != 4 * ring; ++n) {
        const auto start = clock::now();
        const auto message = pattern::make(way::to_host, n, room);
        if (::write(waits.get(), message.data(), message.size()) < 0)
            fail_errno(fmt::format("write of message {} that waits", n));
        longest = std::max(longest, seconds_since(start));
    }
    // The last one is answered: whoever powers off before does not know whether the host has heard it.
    if (::write(waits.get(), room.data(), 1) != 1 || ::read(waits.get(), room.data(), room.size()) != 0)
        fail_errno("the last message");
    say("longest write {:.3f} s", longest);
    check(longest > 0.02, "a writer waits while the host has all buffers");
    check(longest < 3, "a writer is woken when a buffer is back");
}

void hang()
{
    for (;;)
        ::pause();
}

void soak()
{
    const node raw{wait_node("rpmsg-raw").path};
    const auto count = number("MESSAGES", 1'000'000);
    const auto start = clock::now();
    stream(raw, count, number("IN_FLIGHT", 200), [](std::uint32_t n, std::span<const std::byte> got) {
        if (!pattern::is(way::to_guest, n, got))
            fail("answer {} is lost, altered or not in its order", n);
    });
    say("soak {} messages each way in {:.1f} s", count, seconds_since(start));
}

void figures()
{
    const control maker;
    const auto count = number("MESSAGES", 10'000);
    const node counter{maker.create_endpoint("counts", 2001, counts_address).path};
    auto open = [&, src = 2002U](const char* name, std::uint32_t towards) mutable {
        return file{maker.create_endpoint(name, src++, towards).path,
                    O_RDWR};  // sleeps in read() and write()
    };
    const auto ping = open("ping", echo_address);
    const auto out = open("out", sink_address);
    const auto in = open("in", source_address);
    const node both{maker.create_endpoint("both", 2010, echo_address).path};

    const auto measure = [&](std::string_view name, auto run) {
        const auto before = ask(counter);
        const auto start = clock::now();
        run();
        const auto seconds = seconds_since(start);
        const auto after = ask(counter);
        say("figures {}, messages {} kicks {} calls {} us {:.1f}", name, count, after.kicks - before.kicks,
            after.calls - before.calls, seconds * 1e6 / count);
    };
    std::array<std::byte, 16> message{};
    const auto write = [&](const file& to, std::size_t size) {
        if (::write(to.get(), message.data(), size) != static_cast<::ssize_t>(size))
            fail_errno("write");
    };
    const auto read = [&](const file& from) {
        if (::read(from.get(), message.data(), message.size()) < 0)
            fail_errno("read");
    };
    measure("ping-pong", [&] {
        for (std::uint32_t n = 0; n != count; ++n) {
            write(ping, message.size());
            read(ping);
        }
    });
    measure("burst out of the guest", [&] {
        for (std::uint32_t n = 1; n != count; ++n)
            write(out, message.size());
        write(out, 1);  // the last one, which is answered
        read(out);
    });
    measure("burst into the guest", [&] {
        std::memcpy(message.data(), &count, sizeof count);
        write(in, sizeof count);
        for (std::uint32_t n = 0; n != count; ++n)
            read(in);
    });
    measure("both ways, 200 under way", [&] {
        stream(both, count, 200, [](std::uint32_t n, std::span<const std::byte> got) {
            if (!pattern::is(way::to_host, n, got))
                fail("echo {} is lost, altered or not in its order", n);
        });
    });
}

}  // namespace guest
