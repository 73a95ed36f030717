// EXPECT: rpmsg::memory_plan: a part lies outside the memory
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.size = 0x8000}>();
#else
inline constexpr auto at = lay_out<memory_plan{.size = 0x7000}>();
#endif
