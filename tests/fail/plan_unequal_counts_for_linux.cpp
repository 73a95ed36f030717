// EXPECT: rpmsg::memory_plan: Linux wants as many buffers in one direction as in the other
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.to_driver = {.count = 32}, .to_device = {.count = 32}}>();
#else
inline constexpr auto at = lay_out<memory_plan{.to_driver = {.count = 32}}>();
#endif
