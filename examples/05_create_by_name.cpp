// Flow 3, creating by name: one end announces a channel, the other one has no endpoint for it, hears of it
// (on_announced) and opens one towards the address that was announced. That announces nothing, so the first
// end learns of it by the first message: whoever opened towards an announcement speaks first.
#include "support/text.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <fmt/core.h>

int main()
{
    rpmsg::testing::loopback<> link;

    rpmsg::endpoint service{
        link.device(),
        [](rpmsg::message in) {
            fmt::print("service: \"{}\" from {}\n", text(in.payload()), in.source());
            return in.payload();
        },
        rpmsg::on_bound{[](rpmsg::address peer) { fmt::print("service: bound to {}\n", peer); }}};

    rpmsg::endpoint client{
        link.driver(),
        [](rpmsg::message in) { fmt::print("client: \"{}\" came back\n", text(in.payload())); },
        rpmsg::on_unbound{[] { fmt::print("client: the service is gone\n"); }}};

    rpmsg::observer watch{
        link.driver(), rpmsg::on_announced{[&](const rpmsg::announcement& heard) {
            fmt::print("driver: {}\n", heard);
            if (heard.name() != "rpmsg-echo" || client.is_open())
                return;
            if (client.open(rpmsg::towards{heard.address()}) && client.try_send(bytes("hello")))
                fmt::print("client: opened at {} towards {}, said hello\n", client.local(), client.peer());
        }},
        rpmsg::on_withdrawn{[](const rpmsg::announcement& heard) { fmt::print("driver: {}\n", heard); }}};

    if (!watch.open() || !service.open("rpmsg-echo", rpmsg::address{0x50}))
        return 1;
    fmt::print("service: opened at {}, bound: {}\n", service.local(), service.is_bound());
    link.run();
    fmt::print("service: bound: {}\n", service.is_bound());
    const bool both_bound = service.is_bound() && client.is_bound();

    fmt::print("service: closes\n");
    if (!service.close())
        return 1;
    link.run();
    return both_bound && !client.is_bound() ? 0 : 1;
}
