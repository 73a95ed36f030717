// Flow 1, static endpoints: each end knows both addresses beforehand, say from a header that they share.
// Nothing is announced, so it works without a name service too, and both may send as soon as the link is up.
// Who sends to an address that is not open over there loses the message: there it is dropped and counted.
#include "support/text.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <fmt/core.h>

namespace {
constexpr rpmsg::address sensor_address{0x50};   // of the device
constexpr rpmsg::address display_address{0x51};  // of the driver
}  // namespace

int main()
{
    rpmsg::testing::loopback<> link{{.features = 0}};  // no name service

    rpmsg::endpoint sensor{link.device(), [](rpmsg::message in) {
                               fmt::print("sensor {}: {} says \"{}\"\n", in.destination(), in.source(),
                                          text(in.payload()));
                           }};
    rpmsg::endpoint display{link.driver(), [](rpmsg::message in) {
                                fmt::print("display {}: {} says \"{}\"\n", in.destination(), in.source(),
                                           text(in.payload()));
                            }};

    if (!sensor.open(sensor_address, rpmsg::towards{display_address}))
        return 1;
    fmt::print("sensor opened at {} towards {}; the link is {}, bound: {}\n", sensor.local(), sensor.peer(),
               link.device().state(), sensor.is_bound());

    link.run();
    fmt::print("the link is {} (name service: {}), bound: {}\n", link.device().state(),
               link.device().has_name_service(), sensor.is_bound());

    // The display is not open yet. That is nobody's error but a message lost.
    if (!sensor.try_send(bytes("20.5 degrees")))
        return 1;
    link.run();
    fmt::print("the driver dropped {} message(s) for want of an endpoint\n",
               link.driver().stats()[rpmsg::fault::unknown_destination]);

    if (!display.open(display_address, rpmsg::towards{sensor_address}))
        return 1;
    if (!sensor.try_send(bytes("20.6 degrees")) || !display.try_send(bytes("in kelvin, please")))
        return 1;
    link.run();
    return display.is_bound() && sensor.is_bound() ? 0 : 1;
}
