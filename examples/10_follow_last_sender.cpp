// A console for whoever spoke last. An endpoint is bound to its first sender, and stays so whoever else sends
// to it: replies go to the sender, but send() goes to the peer. With follow_last_sender each sender becomes
// the peer, so that what a console has to say by itself goes to the terminal that was used last.
#include "support/text.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <fmt/core.h>

int main()
{
    rpmsg::testing::loopback<> link;
    int news_for_first = 0;
    int news_for_second = 0;

    const auto shows = [](const char* who, int& count) {
        return [who, &count](rpmsg::message in) {
            fmt::print("{} terminal: {} says \"{}\"\n", who, in.source(), text(in.payload()));
            ++count;
        };
    };
    rpmsg::endpoint first{link.driver(), shows("first", news_for_first)};
    rpmsg::endpoint second{link.driver(), shows("second", news_for_second)};

    // Its receiver does nothing with what is typed.
    rpmsg::endpoint faithful{link.device(), [](rpmsg::message /*in*/) {}};
    rpmsg::endpoint console{link.device(), [](rpmsg::message /*in*/) {}, rpmsg::follow_last_sender{}};

    constexpr rpmsg::address faithful_at{0x50};
    constexpr rpmsg::address console_at{0x51};
    if (!faithful.open(faithful_at) || !console.open(console_at) || !first.open(rpmsg::towards{console_at}) ||
        !second.open(rpmsg::towards{console_at}) || !link.run())
        return 1;

    for (auto* const typed_at : {&first, &second}) {
        static_cast<void>(typed_at->try_send(bytes("help")));
        static_cast<void>(typed_at->try_send_to(faithful_at, bytes("help")));
        link.run();
        fmt::print("faithful is bound to {}, console to {}\n", faithful.peer(), console.peer());
    }

    if (!faithful.try_send(bytes("battery low")) || !console.try_send(bytes("battery low")) || !link.run())
        return 1;
    return news_for_first == 1 && news_for_second == 1 ? 0 : 1;
}
