// EXPECT: the receiver of typed<T> takes (const T&) or (in_place<const T&>)
#include <rpmsg/rpmsg.hpp>

#include <cstdint>

struct board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::identity<0x2000'0000, 0x8000>;
};

void check(rpmsg::device_bus<board>& bus)
{
#ifdef RPMSG_FAIL_FIXED
    const rpmsg::endpoint speed{bus, rpmsg::typed<std::uint32_t>, [](const std::uint32_t&) {}};
#else
    const rpmsg::endpoint speed{bus, rpmsg::typed<std::uint32_t>, [](const char*) {}};
#endif
}
