// TARGETS: cortex-a53
#include <rpmsg/platform/cortex_a/cpu.hpp>
#include <rpmsg/platform/cortex_a/data_cache.hpp>
#include <rpmsg/platform/interrupt_depth.hpp>
#include <rpmsg/platform/zynqmp_ipi.hpp>
#include <rpmsg/policy/exclusion.hpp>

#include <cstddef>
#include <cstdint>

using namespace rpmsg::platform;
using cortex_a::cpu;

constinit std::uintptr_t depth = 0;

namespace {
using ipi = zynqmp_ipi<0xFF30'0000, zynqmp_agent::rpu_0>;
using cache = cortex_a::data_cache<>;
bool is_ready() noexcept { return *reinterpret_cast<const volatile bool*>(0x2000'0000); }
}  // namespace

extern "C" {

// EXPECT: mrs x0, daif | msr daifset, #0x2
cpu::state save_and_mask() { return cpu::save_and_mask(); }

// EXPECT: msr daif, x0
void restore(cpu::state before) { cpu::restore(before); }

// EXPECT: mrs x\d+, daif | msr daifset, #0x2 | ldrb w\d+, \[x\d+.*\] | dsb sy | wfi | msr daif, x\d+ | isb
void sleep_unless_ready() { cortex_a::sleep<>::unless(is_ready); }

// EXPECT: wfe
void wait_for_event() { cpu::wait_for_event(); }

// EXPECT: dsb sy | sev
void send_event() { cpu::send_event(); }

// EXPECT: mrs x\d+, ctr_el0
std::size_t data_cache_line() { return cpu::data_cache_line(); }

// EXPECT: dc cvac, x0
void clean(const void* at) { cache::clean_line(at); }

// EXPECT: dc ivac, x0
void invalidate(const void* at) { cache::invalidate_line(at); }

// EXPECT: dc civac, x0
void clean_and_invalidate(const void* at) { cache::clean_and_invalidate_line(at); }

// EXPECT: dc ivac, x\d+ | dsb sy
void drop_a_line(const void* at)
{
    cache::invalidate_line(at);
    cache::complete();
}

// EXPECT: dsb sy | str w\d+, \[x\d+.*\]
void ring_ipi() { ipi{}.ring(rpmsg::policy::vring_id::to_device); }

// EXPECT: str w\d+, \[x\d+.*\] | ldr w\d+, \[x\d+.*\] | dsb sy
void acknowledge_ipi() { ipi::acknowledge(); }

// EXPECT: ldr x\d+, \[x\d+.*\]
std::uintptr_t context() { return rpmsg::policy::interrupt_mask<counted<cpu, depth>>{}.context(); }

// EXPECT: ldr x\d+, \[x\d+.*\] | str x\d+, \[x\d+.*\] | ldr x\d+, \[x\d+.*\] | str x\d+, \[x\d+.*\]
void handle() { const counted<cpu, depth>::handler inside; }
}
