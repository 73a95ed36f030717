// EXPECT: a T of more than 64 bytes is not copied: take in_place<const T&>
#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstdint>

struct board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::identity<0x2000'0000, 0x8000>;
};
struct sample {
    std::array<std::uint32_t, 17> values;
};

void check(rpmsg::device_bus<board>& bus)
{
#ifdef RPMSG_FAIL_FIXED
    const rpmsg::endpoint imu{bus, rpmsg::typed<sample>, [](rpmsg::in_place<const sample&>) {}};
#else
    const rpmsg::endpoint imu{bus, rpmsg::typed<sample>, [](const sample&) {}};
#endif
}
