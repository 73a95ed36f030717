// Flow 2, binding by name: both ends open the same name, each announces its own address, and each binds to
// the other's announcement. It does not matter who is first: what was announced before anybody here wanted
// it can be remembered (policy::board_defaults::remembered_announcements). What is closed is withdrawn.
#include "support/text.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <cstddef>

#include <fmt/core.h>

namespace {
struct board : rpmsg::testing::loopback_board {
    static constexpr std::size_t remembered_announcements = 4;
};
}  // namespace

int main()
{
    rpmsg::testing::loopback<board> link;

    rpmsg::endpoint service{
        link.device(), [](rpmsg::message in) { fmt::print("service hears \"{}\"\n", text(in.payload())); },
        rpmsg::on_bound{[](rpmsg::address peer) { fmt::print("service bound to {}\n", peer); }},
        rpmsg::on_unbound{[](rpmsg::address peer) { fmt::print("service lost {}\n", peer); }}};
    rpmsg::endpoint client{
        link.driver(), [](rpmsg::message in) { fmt::print("client hears \"{}\"\n", text(in.payload())); },
        rpmsg::on_bound{[](rpmsg::address peer) { fmt::print("client bound to {}\n", peer); }},
        rpmsg::on_unbound{[](rpmsg::address peer) { fmt::print("client lost {}\n", peer); }}};

    fmt::print("1. the service opens and announces itself\n");
    if (!service.open("telemetry", rpmsg::address{0x50}))
        return 1;
    link.run();
    fmt::print("   service is at {}, bound: {}; send() says {}\n", service.local(), service.is_bound(),
               service.try_send(bytes("anybody?")).error());

    fmt::print("2. the client opens the same name\n");
    if (!client.open("telemetry"))
        return 1;
    link.run();
    fmt::print("   client is at {}\n", client.local());

    fmt::print("3. either may speak first\n");
    if (!service.try_send(bytes("20.5 degrees")) || !client.try_send(bytes("thank you")))
        return 1;
    link.run();

    fmt::print("4. the client closes and so withdraws its channel\n");
    if (!client.close())
        return 1;
    link.run();
    fmt::print("   service is at {}, bound: {}\n", service.local(), service.is_bound());

    fmt::print("5. and opens it again: the service is bound at once, the client by its first message\n");
    if (!client.open("telemetry"))
        return 1;
    link.run();
    fmt::print("   client is at {}, bound: {}\n", client.local(), client.is_bound());
    if (!service.try_send(bytes("welcome back")))
        return 1;
    link.run();
    return service.is_bound() && client.is_bound() ? 0 : 1;
}
