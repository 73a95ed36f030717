// inspect_live: a driver and a device process that talk as fast as they can, for `rpmsg inspect` to look at.
//
// Prints PID:FD of their memory. With a line on stdin the traffic ends: every message is answered, the device is killed,
// three messages are sent that nobody takes, and it prints "rest". With the end of stdin it ends.

#include "platform/linux/forked.hpp"

#include <rpmsg/platform/linux/link_files.hpp>
#include <rpmsg/platform/linux/process_board.hpp>
#include <rpmsg/platform/linux/process_layout.hpp>
#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include <poll.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using rpmsg::virtio::role;

constexpr process_layout layout{};
constexpr rpmsg::address echo_address{10};

bool echo_for_ever(const link_files& files)
{
    ::alarm(300);  // whatever becomes of the other process
    process_end end{files, role::device};
    rpmsg::device_bus<eventfd_board> bus{*process_layout::table_in(files.memory.bytes()),
                                         end.policies<eventfd_board>()};
    rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }};
    if (!echo.open(echo_address))
        return false;
    for (;;) {
        bus.poll();
        bus.wait_work(100ms);
    }
}

bool is_asked_to_rest()
{
    ::pollfd in{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    return ::poll(&in, 1, 0) > 0;
}

}  // namespace

int main()
{
    auto made = link_files::create(layout.size());
    if (!made)
        return EXIT_FAILURE;
    link_files files = *std::move(made);
    const auto table = layout.write_table(files.memory.bytes());
    process_end end{files, role::driver};
    const platform_test::forked device{[&files] { return echo_for_ever(files); }};
    rpmsg::driver_bus<eventfd_board> bus{table, layout.pool(files.memory.bytes()),
                                         end.policies<eventfd_board>()};

    std::uint32_t asked = 0;
    std::uint32_t answered = 0;
    rpmsg::endpoint asks{bus, [&](rpmsg::message) { ++answered; }};
    if (!asks.open(rpmsg::address{11}, rpmsg::towards{echo_address}) || !bus.wait_link(10s))
        return EXIT_FAILURE;
    fmt::print("{}:{}\n", ::getpid(), files.memory.fd());
    std::fflush(stdout);

    while (!is_asked_to_rest()) {
        while (asks.try_send(std::as_bytes(std::span{&asked, 1})))
            ++asked;
        bus.poll();
        bus.wait_work(100ms);
    }
    std::getchar();
    while (answered != asked) {
        bus.poll();
        bus.wait_work(100ms);
    }
    device.kill();
    for (const std::string_view text : {"one", "two", "three"})
        if (!asks.try_send(std::as_bytes(std::span{text})))
            return EXIT_FAILURE;
    fmt::print("rest after {}\n", asked);
    std::fflush(stdout);
    while (std::getchar() != EOF) {}
    return EXIT_SUCCESS;
}
