#include "kernel/guest/device.hpp"
#include "kernel/guest/modes.hpp"
#include "kernel/guest/system.hpp"
#include "kernel/pattern.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace guest {

namespace {

/// Writes and reads without end until the node is gone: the error that ended it.
int traffic(const node& through)
{
    std::array<std::byte, pattern::longest> room{};
    for (std::uint32_t n = 0;; ++n) {
        const int refused = through.try_write(pattern::make(pattern::way::to_host, n, room));
        if (refused != 0 && refused != EAGAIN)
            return refused;
        while (through.try_read(room) >= 0) {}
        if (errno != EAGAIN)
            return errno;
    }
}

void echo_some()
{
    const node raw{wait_node("rpmsg-raw").path};
    std::array<std::byte, pattern::longest> room{};
    for (std::uint32_t n = 0; n != 40; ++n)
        raw.echo(pattern::make(pattern::way::to_host, n, room));
}

}  // namespace

void rebind()
{
    for (unsigned round = 0; round != number("ROUNDS", 5); ++round) {
        echo_some();
        const node raw{wait_node("rpmsg-raw").path};
        std::atomic<int> ended = 0;
        std::jthread under_way{[&] { ended = traffic(raw); }};
        static_cast<void>(::usleep(20'000));
        unbind();
        under_way.join();
        check(ended == EPIPE, "traffic over a device that is gone ends with EPIPE");
        check(nodes().empty(), "no node stays");
        bind();
    }
    echo_some();
}

void survive()
{
    const control maker;
    const node polled{maker.create_endpoint("polled", 2001, 77).path};
    const node written{maker.create_endpoint("written", 2002, 77).path};
    written.echo(bytes_of("before"));
    const file read{wait_node("rpmsg-raw").path, O_RDWR};
    std::atomic<int> of_reader = 0;
    std::atomic<int> of_writer = 0;
    std::jthread reader{[&] {
        std::array<std::byte, 512> room{};
        of_reader = ::read(read.get(), room.data(), room.size()) < 0 ? errno : -1;
    }};
    std::jthread writer{[&] { of_writer = traffic(written); }};
    say("kill the host");
    check((polled.await(10s) & (POLLERR | POLLHUP)) != 0, "poll tells that the device is gone");
    reader.join();
    writer.join();
    check(of_reader == EPIPE, "a reader gets EPIPE");
    check(of_writer == EPIPE, "a writer gets EPIPE");
    check(polled.try_write(bytes_of("late")) == EPIPE, "and who begins to write now");
    wait_for([] { return nodes().empty(); }, "the nodes to go");
    // Nothing of the kernel is stuck: it still makes files, processes and time.
    std::jthread{[] { static_cast<void>(::usleep(10'000)); }}.join();
    check(!read_file("/proc/version").empty(), "the guest lives on");
}

}  // namespace guest
