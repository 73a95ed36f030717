// OpenAMP's nocopy-echo demo: what its rpmsg-nocopy-echo.c and rpmsg-nocopy-ping.c do, with the same messages.
// Messages are written where the peer reads them, and those received are kept and looked at later, in place.
// docs/from-openamp.md has the two versions side by side.
#include "support/openamp_demo.hpp"
#include "support/two_cores.hpp"

#include <rpmsg/rpmsg.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <thread>
#include <utility>

#include <fmt/core.h>

using namespace std::chrono_literals;
using namespace openamp_demo;

namespace {

/// rpmsg-nocopy-echo.c: keeps what comes, and sends it back from the main loop.
void echo(auto& bus)
{
    bool ends = false;
    std::deque<rpmsg::rx_buffer> kept;
    rpmsg::endpoint lept{bus,
                         [&](rpmsg::rx_buffer in) {
                             if (is_shutdown(in.payload()))
                                 ends = true;
                             else
                                 kept.push_back(std::move(in));
                         },
                         rpmsg::on_unbound{[&] { ends = true; }}};
    ends = !lept.open(service);
    while (!ends) {
        bus.wait_work(1s);
        bus.poll();
        for (; !kept.empty() && !ends; kept.pop_front())
            ends = !lept.send_to(kept.front().source(), kept.front().payload(), 1s);
    }
}

/// rpmsg-nocopy-ping.c: fills buffers of every length in place, and keeps the answers until it has looked at them.
int ping(auto& bus)
{
    std::uint64_t answers = 0;
    int errors = 0;
    rpmsg::rx_buffer answer;
    rpmsg::endpoint lept{bus, [&](rpmsg::rx_buffer in) {
                             answer = std::move(in);
                             ++answers;
                         }};
    if (!lept.open(service) || !lept.wait_bound(10s))
        return 1;

    for (std::uint64_t num = 0;; ++num) {
        auto slot = lept.acquire(1s);
        const auto length = write(slot.payload(), num, num + 1);
        if (length == 0)  // no room for more: then the buffer goes back unsent
            break;
        if (!std::move(slot).send(length))
            return 1;
        while (answers != num + 1 && lept.is_bound()) {
            bus.wait_work(1s);
            bus.poll();
        }
        errors += is_sound(answer.payload(), num) ? 0 : 1;
        answer.release();
    }
    fmt::print("{} messages came back, error count = {}\n", answers, errors);
    return answers == bus.max_payload() - sizeof(head) ? errors : 1;
}

}  // namespace

int main()
{
    rpmsg::testing::loopback<core> link;
    std::jthread remote{[&] { echo(link.device()); }};
    return ping(link.driver());  // its endpoint closes, and that ends the other side
}
