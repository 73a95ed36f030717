// EXPECT: rpmsg::memory_plan: cache_line is no power of two, or more than part_align
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.cache_line = 64}>();
#else
inline constexpr auto at = lay_out<memory_plan{.cache_line = 48}>();
#endif
