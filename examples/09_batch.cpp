// Many messages and one doorbell. Every message is in the ring at once, but the peer is woken for it only at
// the end of the batch: sixteen interrupts less, or one system call in place of sixteen.
// What is answered inside a receiver needs no batch: a poll rings once for all that it did.
#include "support/text.hpp"

#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <fmt/core.h>

int main()
{
    constexpr auto driver = rpmsg::virtio::role::driver;
    constexpr auto device = rpmsg::virtio::role::device;

    rpmsg::testing::loopback<> link;
    rpmsg::endpoint echo{link.device(), [](rpmsg::message in) { return in.payload(); }};
    int answers = 0;
    rpmsg::endpoint client{link.driver(), [&](rpmsg::message /*in*/) { ++answers; }};
    if (!echo.open("rpmsg-echo") || !client.open("rpmsg-echo") || !link.run())
        return 1;

    const auto rings_for = [&](auto send) {
        const auto before = link.rang(driver).total();
        send();
        const auto rings = link.rang(driver).total() - before;
        link.run();
        return rings;
    };
    const auto send_eight = [&] {
        for (int i = 0; i != 8; ++i)
            static_cast<void>(client.try_send(bytes("hello")));
    };

    const auto alone = rings_for(send_eight);
    const auto together = rings_for([&] {
        const rpmsg::batch of_eight{link.driver()};
        send_eight();
    });
    fmt::print("eight messages, each by itself: {} rings of the driver's doorbell\n", alone);
    fmt::print("eight messages in a batch:      {} ring\n", together);

    const auto before = link.rang(device).total();
    send_eight();
    link.run();
    const auto for_answers = link.rang(device).total() - before;
    fmt::print("eight answers in one poll:      {} ring of the device's doorbell\n", for_answers);
    return alone == 8 && together == 1 && for_answers == 1 && answers == 24 ? 0 : 1;
}
