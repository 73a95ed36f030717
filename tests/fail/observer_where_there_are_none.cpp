// EXPECT: this board says that it has no observers
#include <rpmsg/rpmsg.hpp>

struct board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::identity<0x2000'0000, 0x8000>;
#ifndef RPMSG_FAIL_FIXED
    static constexpr bool observers = false;
#endif
};

void check(rpmsg::device_bus<board>& bus)
{
    rpmsg::observer watch{bus, rpmsg::on_link{[] {}}};
    static_cast<void>(watch.open());
}
