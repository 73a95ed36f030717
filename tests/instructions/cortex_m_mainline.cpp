// TARGETS: cortex-m3 cortex-m4 cortex-m7 cortex-m33
#include <rpmsg/platform/cortex_m/cpu.hpp>
#include <rpmsg/platform/cortex_m/data_cache.hpp>

#include <cstdint>

using namespace rpmsg::platform;

namespace {
using cpu = cortex_m::cpu_up_to<0x40>;
using cache = cortex_m::data_cache<>;
}  // namespace

extern "C" {

// EXPECT: mrs r\d, BASEPRI | msr BASEPRI_MAX, r\d
cpu::state save_and_mask() { return cpu::save_and_mask(); }

// EXPECT: msr BASEPRI, r0
void restore(cpu::state before) { cpu::restore(before); }

// EXPECT: mrs r\d, IPSR
std::uintptr_t context() { return cpu::context(); }

// EXPECT: dsb sy | str(\.w)? r0, \[r\d.*\] | dsb sy | isb sy
void clean_a_line(const void* at)
{
    cache::begin();
    cache::clean_line(at);
    cache::complete();
}

// EXPECT: dsb sy | str(\.w)? r\d, \[r\d.*\] | dsb sy | isb sy
void drop_a_line(const void* at)
{
    cache::begin();
    cache::invalidate_line(at);
    cache::complete();
}
}
