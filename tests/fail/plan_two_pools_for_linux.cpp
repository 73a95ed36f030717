// EXPECT: rpmsg::memory_plan: Linux takes all buffers from one piece, those to the driver first
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at =
    lay_out<memory_plan{.to_device = {.buffers = 0x10'0000}, .driver = driven_by::rpmsg_bus}>();
#else
inline constexpr auto at = lay_out<memory_plan{.to_device = {.buffers = 0x10'0000}}>();
#endif
