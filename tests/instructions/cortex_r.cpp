// TARGETS: cortex-r5 cortex-r5-thumb
#include <rpmsg/platform/cortex_r/cpu.hpp>
#include <rpmsg/platform/cortex_r/data_cache.hpp>
#include <rpmsg/platform/zynqmp_ipi.hpp>

#include <cstdint>

using namespace rpmsg::platform;
using cortex_r::cpu;

namespace {
using ipi = zynqmp_ipi<0xFF31'0000, zynqmp_agent::apu>;
using cache = cortex_r::data_cache<>;
bool is_ready() noexcept { return *reinterpret_cast<const volatile bool*>(0x2000'0000); }
}  // namespace

extern "C" {

// EXPECT: mrs r0, CPSR | cpsid i
cpu::state save_and_mask() { return cpu::save_and_mask(); }

// EXPECT: msr CPSR_c, r0
void restore(cpu::state before) { cpu::restore(before); }

// EXPECT: mrs r\d, CPSR
std::uintptr_t context() { return cpu::context(); }

// EXPECT: mrs r\d, CPSR | cpsid i | ldrb r\d, \[r\d.*\] | dsb sy | wfi | msr CPSR_c, r\d | isb sy
void sleep_unless_ready() { cortex_r::sleep<>::unless(is_ready); }

// EXPECT: wfe
void wait_for_event() { cpu::wait_for_event(); }

// EXPECT: dsb sy | sev
void send_event() { cpu::send_event(); }

// EXPECT: mcr 15, 0, r0, cr7, cr10, \{1\}
void clean(const void* at) { cache::clean_line(at); }

// EXPECT: mcr 15, 0, r0, cr7, cr6, \{1\}
void invalidate(const void* at) { cache::invalidate_line(at); }

// EXPECT: mcr 15, 0, r0, cr7, cr14, \{1\}
void clean_and_invalidate(const void* at) { cache::clean_and_invalidate_line(at); }

// EXPECT: mcr 15, 0, r\d, cr7, cr6, \{1\} | dsb sy
void drop_a_line(const void* at)
{
    cache::invalidate_line(at);
    cache::complete();
}

// EXPECT: dsb sy | str r\d, \[r\d.*\]
void ring_ipi() { ipi{}.ring(rpmsg::policy::vring_id::to_driver); }

// EXPECT: str r\d, \[r\d.*\] | ldr r\d, \[r\d.*\] | dsb sy
void acknowledge_ipi() { ipi::acknowledge(); }
}
