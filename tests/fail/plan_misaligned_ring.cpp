// EXPECT: rpmsg::memory_plan: the memory or a part of it begins at no multiple of part_align
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.to_driver = {.ring = 0x8000}}>();
#else
inline constexpr auto at = lay_out<memory_plan{.to_driver = {.ring = 0x8010}}>();
#endif
