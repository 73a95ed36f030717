// EXPECT: rpmsg::memory_plan: a buffer has no room for a header of 16 bytes and a payload
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at =
    lay_out<memory_plan{.to_driver = {.buffer_size = 17}, .driver = driven_by::rpmsg_bus}>();
#else
inline constexpr auto at =
    lay_out<memory_plan{.to_driver = {.buffer_size = 16}, .driver = driven_by::rpmsg_bus}>();
#endif
