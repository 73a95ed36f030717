// EXPECT: a span may outlive its bytes
#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <span>

struct board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::identity<0x2000'0000, 0x8000>;
};

void check(rpmsg::device_bus<board>& bus)
{
#ifdef RPMSG_FAIL_FIXED
    const rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }};
#else
    const rpmsg::endpoint echo{bus,
                               [](rpmsg::message in) { return std::span<const std::byte>{in.payload()}; }};
#endif
}
