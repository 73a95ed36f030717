#pragma once

#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace platform_test {

/// An end of a loopback that rings by this.
template <rpmsg::policy::doorbell Doorbell>
struct rings_by : rpmsg::testing::loopback_board {
    using doorbell = Doorbell;
};

/// Whether a message goes to and fro in a loopback whose driver and device ring by these.
template <rpmsg::policy::doorbell Driver, rpmsg::policy::doorbell Device>
bool echoes_over()
{
    rpmsg::testing::loopback<rings_by<Driver>, rings_by<Device>> link;

    rpmsg::endpoint echo{link.device(), [](rpmsg::message in) { return in.payload(); }};
    std::size_t came = 0;
    rpmsg::endpoint hello{link.driver(), [&](std::span<const std::byte> answer) { came = answer.size(); }};
    constexpr std::string_view text{"hello, other core"};
    return echo.open("rpmsg-echo") && hello.open("rpmsg-echo") && link.run() &&
           hello.try_send(std::as_bytes(std::span{text})) && link.run() && came == text.size();
}

}  // namespace platform_test
