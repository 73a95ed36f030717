#include "kernel/char_device/guest.hpp"

#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <utility>

#include <sys/epoll.h>
#include <sys/time.h>

namespace char_test {

namespace {

using rpmsg::errc;
using rpmsg::towards;

std::string some(std::size_t size)
{
    std::string made(size, '\0');
    for (std::size_t i = 0; i != size; ++i)
        made[i] = static_cast<char>('a' + i % 26);
    return made;
}

template <typename Sent>
std::chrono::milliseconds time_of(Sent sent)
{
    const auto start = clock::now();
    sent();
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - start);
}

/// Sends to the sink until there is no room: how many went.
template <typename Endpoint>
int fill(Endpoint& to)
{
    int sent = 0;
    while (to.try_send(bytes("filling")))
        ++sent;
    return sent;
}

}  // namespace

void sizes()
{
    char_bus bus;
    listener echo{bus};
    check(echo.end.open(towards{echo_address}).has_value(), "open");
    for (const std::size_t size : {0U, 1U, 2U, 495U, 496U, 0U, 0U})
        echo.echo(some(size));
    check(echo.all.size() == 7, "each message is one");
    check(bus.max_payload() == 496, "max_payload() is 496");
    check(echo.end.try_send(bytes(some(497))).error() == errc::too_long, "497 bytes are too long");
    check(echo.end.send(bytes(some(5000)), 1s).error() == errc::too_long, "5000 bytes are too long");
    echo.echo("after that");
}

void learns()
{
    char_bus bus{{.longest = 1000}};
    listener echo{bus};
    check(echo.end.open(towards{echo_address}).has_value(), "open");
    bus.poll();
    check(bus.max_payload() == 1000, "it believes what it is told");
    check(echo.end.try_send(bytes(some(600))).error() == errc::too_long,
          "the kernel's EMSGSIZE is errc::too_long");
    check(bus.max_payload() == 599, "and makes max_payload() less");
    check(echo.end.send(bytes(some(497)), 1s).error() == errc::too_long, "also when there is time to wait");
    check(bus.max_payload() == 496, "down to what it is");
    echo.echo(some(496));
}

void in_place()
{
    char_bus bus;
    std::uint32_t got = 0;
    rpmsg::endpoint typed{bus, rpmsg::typed<rpmsg::wire::le32>,
                          [&](const rpmsg::wire::le32& value) { got = value; }};
    check(typed.open(towards{echo_address}).has_value(), "open");
    {
        auto lost = typed.try_acquire();
        check(static_cast<bool>(lost), "a buffer to drop");
    }
    auto slot = typed.acquire(1s);
    check(static_cast<bool>(slot), "a buffer");
    *slot = 0x1234'5678U;
    check(std::move(slot).send().has_value(), "sent in place");
    check(!slot, "and consumed");
    poll_until(bus, [&] { return got == 0x1234'5678U; }, "the echo of a typed value");

    std::vector<rpmsg::rx_buffer> kept;
    rpmsg::endpoint holds{bus, [&](rpmsg::rx_buffer in) { kept.push_back(std::move(in)); }};
    check(holds.open(towards{echo_address}).has_value(), "open another");
    for (int i = 0; i != 256; ++i) {
        check(holds.send(bytes(some(static_cast<std::size_t>(i))), 1s).has_value(), "send");
        poll_until(bus, [&] { return kept.size() == static_cast<std::size_t>(i) + 1; }, "a message to hold");
    }
    for (std::size_t i = 0; i != kept.size(); ++i)
        check(text(kept[i].payload()) == some(i), "a message that is held stays as it is");
    check(kept.front().source() == echo_address, "its source");
    check(holds.send(bytes("one more"), 1s).has_value(), "send with all buffers held");
    check(time_of([&] { bus.wait_work(50ms); }) < 1s && kept.size() == 256, "nothing can be read");
    kept.erase(kept.begin());
    poll_until(bus, [&] { return kept.size() == 256; }, "the message that had to wait");
    check(text(kept.back().payload()) == "one more", "it is that one");
}

void own_epoll()
{
    char_bus bus;
    listener one{bus};
    listener other{bus};
    check(one.end.open(towards{echo_address}) && other.end.open(towards{echo_address}), "open");
    const int mine = ::epoll_create1(0);
    ::epoll_event wanted{};
    wanted.events = EPOLLIN;
    ::epoll_ctl(mine, EPOLL_CTL_ADD, bus.fd(), &wanted);
    check(::epoll_wait(mine, &wanted, 1, 5000) == 1, "the file can be read when on_bound is to be told");
    bus.poll();
    check(::epoll_wait(mine, &wanted, 1, 0) == 0, "nothing is to be done");
    check(!bus.has_work(), "says has_work(), too");
    for (int turn = 0; turn != 20; ++turn) {
        auto& speaker = turn % 2 == 0 ? one : other;
        const auto before = speaker.all.size();
        check(speaker.end.try_send(bytes("hello")).has_value(), "send");
        check(::epoll_wait(mine, &wanted, 1, 5000) == 1, "the file can be read when there is a message");
        check(bus.has_work(), "has_work()");
        check(bus.poll().handled == 1 && speaker.all.size() == before + 1, "poll() handles it");
        check(::epoll_wait(mine, &wanted, 1, 0) == 0, "and then it cannot be read");
    }
    // A budget leaves the rest.
    for (int i = 0; i != 5; ++i)
        check(one.end.try_send(bytes("x")).has_value(), "send");
    ::usleep(50'000);
    const auto did = bus.poll(2);
    check(did.handled == 2 && did.more, "a budget of two");
    poll_until(bus, [&] { return one.all.size() == 15; }, "the rest");
}

void full()
{
    orders host;
    char_bus bus;
    rpmsg::endpoint out{bus};
    check(out.open(towards{sink_address}).has_value() && out.wait_bound(1s), "open");
    static_cast<void>(host.ask("count"));
    host.give("hold 700");
    const auto start = clock::now();
    const int sent = fill(out);
    check(sent >= 14 && sent <= 16, "16 buffers: " + std::to_string(sent));
    check(out.try_send(bytes("x")).error() == errc::full, "EAGAIN is errc::full");
    auto slot = out.try_acquire();
    check(static_cast<bool>(slot), "a buffer of ours is there");
    check(std::move(slot).send(1).error() == errc::full && slot,
          "but the kernel has no room, and it stays ours");
    const auto waited =
        time_of([&] { check(out.send(bytes("x"), 100ms).error() == errc::timed_out, "timed out"); });
    check(waited >= 100ms && waited < 400ms, "a deadline is kept: " + std::to_string(waited.count()));
    check(out.send(bytes("x"), 10s).has_value(), "it goes as soon as there is room");
    const auto until_room = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - start);
    check(until_room > 500ms && until_room < 1500ms, "no 15 seconds: " + std::to_string(until_room.count()));
    // The others come back one by one.
    poll_until(
        bus, [&] { return std::move(slot).send(1).has_value(); }, "the buffer that was kept goes, too");
    poll_until(bus, [&] { return host.ask("count") == std::to_string(sent + 2); }, "all of them", 1s);
}

void tx_ready()
{
    orders host;
    char_bus bus;
    rpmsg::endpoint out{bus};
    int ready = 0;
    int sent = 0;
    rpmsg::observer watch{bus, rpmsg::on_tx_ready{[&] {
                              ++ready;
                              while (sent != 100 && out.try_send(bytes("never waits")))
                                  ++sent;
                          }}};
    check(out.open(towards{sink_address}).has_value() && watch.open() && out.wait_bound(1s), "open");
    host.give("hold 300");
    while (sent != 100 && out.try_send(bytes("never waits")))
        ++sent;
    check(sent < 20, "there was no room for 100");
    poll_until(bus, [&] { return sent == 100; }, "on_tx_ready");
    check(ready > 0, "it ran");
    const auto* const says = std::getenv("SAYS");
    // A kernel that says when there is room needs it said a few times, and the others are asked each millisecond.
    check(says == nullptr || ready < 60, "it ran " + std::to_string(ready) + " times");
}

void replies()
{
    orders host;
    char_bus bus;
    int heard = 0;
    rpmsg::endpoint service{bus, [&](rpmsg::message in) {
                                ++heard;
                                return in.payload();
                            }};
    check(service.open(rpmsg::address{5000}, towards{sink_address}).has_value(), "open");
    static_cast<void>(host.ask("count"));
    host.give("hold 500");
    check(fill(service) >= 14, "no room any more");
    ::usleep(800'000);  // it lets go
    const auto before = std::stoi(host.ask("count"));
    check(before >= 14, "the filling arrived");
    host.give("flood 5000 60");
    host.give("hold 400");
    const auto filled = fill(service);
    int count = 0;
    poll_until(bus, [&] { return heard == 60; }, "60 requests");
    poll_until(bus, [&] { return (count += std::stoi(host.ask("count"))) >= filled + 60; }, "60 results", 3s);
    check(count == filled + 60 && bus.stats().total() == 0, "each once");
}

void signals()
{
    orders host;
    char_bus bus;
    listener echo{bus};
    rpmsg::endpoint out{bus};
    check(echo.end.open(towards{echo_address}) && out.open(towards{sink_address}), "open");
    struct ::sigaction quiet{};
    quiet.sa_handler = [](int) {};
    ::sigaction(SIGALRM, &quiet, nullptr);  // no SA_RESTART
    const ::itimerval often{{0, 2000}, {0, 2000}};
    ::setitimer(ITIMER_REAL, &often, nullptr);
    for (int i = 0; i != 300; ++i)
        echo.echo("among signals " + std::to_string(i));
    host.give("hold 300");
    fill(out);
    const auto waited =
        time_of([&] { check(out.send(bytes("x"), 100ms).error() == errc::timed_out, "timed out"); });
    check(waited >= 100ms && waited < 400ms, "a deadline is kept: " + std::to_string(waited.count()));
    check(out.send(bytes("x"), 5s).has_value(), "and room is found");
    const ::itimerval never{};
    ::setitimer(ITIMER_REAL, &never, nullptr);
}

void slow_reader()
{
    constexpr std::uint32_t many = 3000;
    orders host;
    char_bus bus;
    std::uint32_t next = 0;
    rpmsg::endpoint slow{bus, [&](std::span<const std::byte> in) {
                             std::uint32_t number = 0;
                             check(in.size() == sizeof number, "size");
                             std::memcpy(&number, in.data(), sizeof number);
                             check(number == next++, "out of order");
                         }};
    check(slow.open(rpmsg::address{5000}, towards{sink_address}).has_value(), "open");
    host.give("flood 5000 " + std::to_string(many));
    ::usleep(500'000);
    check(next == 0, "nobody polled");
    poll_until(bus, [&] { return next == many; }, "all that waited in the kernel");
}

void ping()
{
    constexpr int many = 5000;
    char_bus bus;
    int got = 0;
    rpmsg::endpoint echo{bus, [&](std::span<const std::byte>) { ++got; }};
    check(echo.open(towards{echo_address}).has_value() && echo.wait_bound(1s), "open");
    const auto start = clock::now();
    for (int i = 0; i != many; ++i) {
        check(echo.send(bytes("ping ping ping ping"), 1s).has_value(), "send");
        while (got == i) {
            bus.wait_work(1s);
            bus.poll();
        }
    }
    const auto took = std::chrono::duration<double, std::micro>(clock::now() - start).count() / many;
    say("round trip " + std::to_string(took) + " us");
}

}  // namespace char_test
