// The Linux side of a product: a program that talks to firmware over /dev/rpmsg*. The endpoint is the same as in
// 04_bind_by_name, only the bus is another: it finds the channel "rpmsg-echo" that the firmware announced, asks each
// half second, and survives a restart of the firmware. Without --for it runs until it is stopped.
#include "support/text.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/platform/linux/char_device.hpp>
#include <rpmsg/rpmsg.hpp>

#include <charconv>
#include <chrono>
#include <cstring>

#include <fmt/core.h>

using namespace std::chrono_literals;

int main(int count, char** words)
{
    using clock = std::chrono::steady_clock;
    int seconds = 0;  // without end
    const bool timed = count == 3 && std::strcmp(words[1], "--for") == 0 &&
                       std::from_chars(words[2], words[2] + std::strlen(words[2]), seconds).ec == std::errc{};
    const bool only_if_there = count == 2 && std::strcmp(words[1], "--if-there") == 0;
    if (count != 1 && !timed && !only_if_there) {
        fmt::print(stderr, "usage: 16_char_device [--for SECONDS | --if-there]\n");
        return 2;
    }

    rpmsg::platform::char_bus bus;
    int asked = 0;
    int answered = 0;
    int bound = 0;
    rpmsg::endpoint client{
        bus,
        [&](rpmsg::message in) {
            ++answered;
            fmt::print("answer {}: \"{}\" from {}\n", answered, text(in.payload()), in.source());
        },
        rpmsg::on_bound{[&](rpmsg::address peer) {
            fmt::print("{} {}\n", ++bound == 1 ? "the firmware's address is" : "it is back at", peer);
        }},
        rpmsg::on_unbound{[] { fmt::print("the firmware restarted, or closed its channel\n"); }}};
    if (const auto opened = client.open("rpmsg-echo"); !opened) {
        fmt::print(stderr, "open: {:l}\n", opened.error());
        return 1;
    }
    if (!bus.wait_link(only_if_there ? 0ms : 3s)) {
        fmt::print("There is no RPMsg device here: no /dev/rpmsg_ctrl0.\n");
        return only_if_there ? 0 : 1;
    }

    const auto start = clock::now();
    for (auto next = start; seconds == 0 || clock::now() - start < std::chrono::seconds{seconds};) {
        if (clock::now() >= next) {
            next += 500ms;
            // Never blocks for 15 seconds: errc::full, errc::not_bound and errc::link_down are known at once.
            if (client.is_bound() && client.send(bytes("are you there?"), 100ms))
                ++asked;
        }
        bus.poll();
        bus.wait_work(next - clock::now());
        if (only_if_there && answered != 0)
            break;
    }
    fmt::print("{} questions, {} answers, {} link(s) lost\n", asked, answered, bus.epoch());
    return answered != 0 ? 0 : 1;
}
