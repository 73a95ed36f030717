// The driver's end restarts in the middle of things, and nothing has to be opened again: the link is lost,
// comes back, endpoints are announced anew under the same addresses, and are bound again.
// A buffer of the link that was lost is stale: sending it fails, and destroying it does nothing.
#include "support/text.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <utility>

#include <fmt/core.h>

int main()
{
    rpmsg::testing::loopback<> link;

    rpmsg::endpoint service{
        link.device(), [](rpmsg::message in) { return in.payload(); },
        rpmsg::on_bound{[](rpmsg::address peer) { fmt::print("service: bound to {}\n", peer); }},
        rpmsg::on_unbound{[] { fmt::print("service: unbound\n"); }}};
    rpmsg::endpoint client{link.driver(),
                           [](rpmsg::message in) { fmt::print("client: \"{}\"\n", text(in.payload())); }};
    rpmsg::observer watch{link.device(), rpmsg::on_link{[](rpmsg::link_state state) {
                              fmt::print("device: the link is {} ({:l})\n", state, state);
                          }}};

    if (!watch.open() || !service.open("rpmsg-echo") || !client.open("rpmsg-echo") || !link.run())
        return 1;
    const auto epoch = link.device().epoch();

    auto buffer = service.try_acquire();
    fmt::print("service: has a buffer of {} bytes\n", buffer.payload().size());

    fmt::print("driver: restarts\n");
    link.driver().stop();
    link.run();
    const auto why = std::move(buffer).send(5).error();
    fmt::print("service: send() says {} ({:l})\n", why, why);

    link.driver().start();
    link.run();
    if (!client.try_send(bytes("still there?")) || !link.run())
        return 1;
    fmt::print("device: {} link(s) lost\n", link.device().epoch() - epoch);
    return service.is_bound() && why == rpmsg::errc::stale ? 0 : 1;
}
