// OpenAMP's echo demo: what its rpmsg-echo.c and rpmsg-ping.c do, with the same messages.
// The two processors are two threads, each with a main loop of its own and one end of the link.
// docs/from-openamp.md has the two versions side by side.
#include "support/openamp_demo.hpp"
#include "support/two_cores.hpp"

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>

#include <fmt/core.h>

using namespace std::chrono_literals;
using namespace openamp_demo;

namespace {

/// rpmsg-echo.c: sends back what comes, until it is told to end or the other side is gone.
void echo(auto& bus)
{
    bool ends = false;
    rpmsg::endpoint replies{bus};
    rpmsg::endpoint lept{bus,
                         [&](rpmsg::message in) {
                             if (is_shutdown(in.payload()))
                                 ends = true;
                             else if (!replies.try_send_from(in.destination(), in.source(), in.payload()))
                                 fmt::print("echo: send failed\n");
                         },
                         rpmsg::on_unbound{[&] { ends = true; }}};
    ends = !replies.open(rpmsg::any_address) || !lept.open(service);
    while (!ends) {
        bus.wait_work(1s);
        bus.poll();
    }
}

/// rpmsg-ping.c: sends messages of every length, and looks at what comes back.
int ping(auto& bus)
{
    std::uint64_t answers = 0;
    int errors = 0;
    rpmsg::endpoint lept{bus, [&](std::span<const std::byte> in) {
                             errors += is_sound(in, answers) ? 0 : 1;
                             ++answers;
                         }};
    if (!lept.open(service) || !lept.wait_bound(10s))
        return 1;

    std::array<std::byte, 512> buffer{};
    const auto message = std::span{buffer}.first(bus.max_payload());
    for (std::uint64_t num = 0; const auto length = write(message, num, num + 1); ++num) {
        if (!lept.send(message.first(length), 1s))
            return 1;
        while (answers != num + 1 && lept.is_bound()) {
            bus.wait_work(1s);
            bus.poll();
        }
    }
    fmt::print("{} messages came back, error count = {}\n", answers, errors);
    return answers == message.size() - sizeof(head) ? errors : 1;
}

/// The end of Linux's echo_test.c: tells the remote to stop.
bool shut_down(auto& bus)
{
    rpmsg::endpoint lept{bus, rpmsg::typed<std::uint32_t>};
    return lept.open(service) && lept.wait_bound(10s) && lept.send(shutdown_message, 1s);
}

}  // namespace

int main()
{
    rpmsg::testing::loopback<core> link;
    std::jthread remote{[&] {
        echo(link.device());  // until ping's endpoint closes
        echo(link.device());  // until it is told to
    }};
    return ping(link.driver()) == 0 && shut_down(link.driver()) ? 0 : 1;
}
