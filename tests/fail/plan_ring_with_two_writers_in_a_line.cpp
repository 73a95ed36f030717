// EXPECT: rpmsg::memory_plan: a cache line has two writers: ring_align is less than cache_line
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.ring_align = 32, .cache_line = 32}>();
#else
inline constexpr auto at = lay_out<memory_plan{.ring_align = 16, .cache_line = 32}>();
#endif
