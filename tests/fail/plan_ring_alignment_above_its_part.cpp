// EXPECT: rpmsg::memory_plan: alignments are powers of two, ring_align from 4 bytes to part_align
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.ring_align = 64, .part_align = 64}>();
#else
inline constexpr auto at = lay_out<memory_plan{.ring_align = 4096, .part_align = 64}>();
#endif
