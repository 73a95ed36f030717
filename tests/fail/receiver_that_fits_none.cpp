// EXPECT: a receiver takes (message), (std::span<const std::byte>) or (rx_buffer)
#include <rpmsg/rpmsg.hpp>

struct board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::identity<0x2000'0000, 0x8000>;
};

void check(rpmsg::device_bus<board>& bus)
{
#ifdef RPMSG_FAIL_FIXED
    const rpmsg::endpoint echo{bus, [](rpmsg::message) {}};
#else
    const rpmsg::endpoint echo{bus, [](int) {}};
#endif
}
