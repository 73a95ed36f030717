// Both ends of a link in one process: a service that echoes, and somebody who says hello to it.
// In earnest each end is a program of its own, on its own processor or in its own process, with a board
// that says how the two reach each other. The endpoints and what is done with them stay as they are here.
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <span>
#include <string_view>

int main()
{
    using namespace std::literals;

    rpmsg::testing::loopback<> link;

    // What the receiver returns is the reply.
    rpmsg::endpoint echo{link.device(), [](rpmsg::message in) { return in.payload(); }};

    const auto print = [](std::span<const std::byte> answer) {
        std::cout << std::string_view{reinterpret_cast<const char*>(answer.data()), answer.size()} << '\n';
    };
    rpmsg::endpoint hello{link.driver(), print};

    if (!echo.open("rpmsg-echo") || !hello.open("rpmsg-echo"))
        return 1;
    if (!hello.wait_bound(100ms))  // the link comes up, both channels are announced, the ends find each other
        return 1;
    if (!hello.send(std::as_bytes(std::span{"hello, other core"sv}), 100ms))
        return 1;
    return link.run() ? 0 : 1;  // the message is echoed, and the answer printed
}
