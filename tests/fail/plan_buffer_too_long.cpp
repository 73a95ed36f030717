// EXPECT: rpmsg::memory_plan: a buffer is longer than 65535 bytes
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at =
    lay_out<memory_plan{.to_device = {.buffer_size = 65535}, .driver = driven_by::rpmsg_bus}>();
#else
inline constexpr auto at =
    lay_out<memory_plan{.to_device = {.buffer_size = 65536}, .driver = driven_by::rpmsg_bus}>();
#endif
