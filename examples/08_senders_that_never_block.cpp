// A sender that never waits: it sends until there is no buffer, and goes on when on_tx_ready says so.
// A failed call changed nothing, so the line that found no buffer is simply sent again: none is lost.
// The peer is asked to ring for the buffers it returns only while somebody wants one; nobody polls for them.
#include "support/text.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <fmt/core.h>

int main()
{
    constexpr int lines = 100;

    rpmsg::testing::loopback<> link;
    int printed = 0;
    int written = 0;
    int pauses = 0;

    rpmsg::endpoint console{link.driver(), [&](rpmsg::message in) {
                                if (const auto expected = fmt::format("line {}", printed);
                                    text(in.payload()) == expected)
                                    ++printed;
                            }};
    rpmsg::endpoint log{link.device()};

    const auto write = [&] {
        while (written != lines) {
            const auto sent = log.try_send(bytes(fmt::format("line {}", written)));
            if (sent.error() == rpmsg::errc::full) {
                fmt::print("log: {} lines are out, {:l}\n", written, sent.error());
                ++pauses;
                return;  // on_tx_ready calls again
            }
            if (!sent)
                return;
            ++written;
        }
    };
    rpmsg::observer watch{link.device(), rpmsg::on_tx_ready{write}};

    if (!watch.open() || !console.open(rpmsg::address{0x50}) || !log.open(rpmsg::towards{0x50}) ||
        !link.run())
        return 1;
    write();
    link.run();

    fmt::print("{} lines written and {} printed, with {} pauses\n", written, printed, pauses);
    return printed == lines && pauses != 0 ? 0 : 1;
}
