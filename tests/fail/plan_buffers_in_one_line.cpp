// EXPECT: rpmsg::memory_plan: a cache line has two buffers: a buffer_size is no multiple of cache_line
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{
    .to_driver = {.buffer_size = 128}, .cache_line = 64, .driver = driven_by::rpmsg_bus}>();
#else
inline constexpr auto at = lay_out<memory_plan{
    .to_driver = {.buffer_size = 96}, .cache_line = 64, .driver = driven_by::rpmsg_bus}>();
#endif
