// EXPECT: rpmsg::memory_plan: Linux has at most 256 buffers in a direction
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto at = lay_out<memory_plan{.to_driver = {.count = 256}, .to_device = {.count = 256}}>();
#else
inline constexpr auto at = lay_out<memory_plan{.to_driver = {.count = 512}, .to_device = {.count = 512}}>();
#endif
