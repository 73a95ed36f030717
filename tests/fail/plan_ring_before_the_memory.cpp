// EXPECT: rpmsg::memory_plan: a part lies outside the memory
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.address = 0x1000, .to_driver = {.ring = 0x1000}}>();
#else
inline constexpr auto at = lay_out<memory_plan{.address = 0x2000, .to_driver = {.ring = 0x1000}}>();
#endif
