// EXPECT: rpmsg::memory_plan: Linux has buffers of 512 bytes unless features has buffer_sizes
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.to_device = {.buffer_size = 1024}, .features = 3}>();
#else
inline constexpr auto at = lay_out<memory_plan{.to_device = {.buffer_size = 1024}, .features = 1}>();
#endif
