// EXPECT: rpmsg::memory_plan: a count is no power of two from 1 to 32768
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.to_driver = {.count = 16}}>();
#else
inline constexpr auto at = lay_out<memory_plan{.to_driver = {.count = 24}}>();
#endif
