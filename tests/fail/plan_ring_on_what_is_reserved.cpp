// EXPECT: rpmsg::memory_plan: two parts overlap
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.to_driver = {.ring = 0x1000}, .reserved = 64}>();
#else
inline constexpr auto at = lay_out<memory_plan{.to_driver = {.ring = 0}, .reserved = 64}>();
#endif
