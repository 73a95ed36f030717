// EXPECT: rpmsg::memory_plan: a vring lies above 4 GiB, where no table can place it
#include <rpmsg/bus/lay_out.hpp>

using namespace rpmsg;

#ifdef RPMSG_FAIL_FIXED
inline constexpr auto table = lay_out<memory_plan{.address = 0x8000'0000}>().table();
#else
inline constexpr auto table = lay_out<memory_plan{.address = 0x1'0000'0000}>().table();
#endif
