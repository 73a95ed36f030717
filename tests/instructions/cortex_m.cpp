// TARGETS: cortex-m0 cortex-m3 cortex-m4 cortex-m7 cortex-m33
#include <rpmsg/platform/cortex_m/cpu.hpp>
#include <rpmsg/platform/mailbox_word.hpp>
#include <rpmsg/platform/sse200_mhu.hpp>
#include <rpmsg/policy/exclusion.hpp>

#include <cstdint>

using namespace rpmsg::platform;
using cortex_m::cpu;

namespace {
using mhu = sse200_mhu<0x5000'3000, 0>;
using mailbox = mailbox_word<0x4000'0040, plain_id, full_when<0x4000'0044, 1>>;
bool is_ready() noexcept { return *reinterpret_cast<const volatile bool*>(0x2000'0000); }
}  // namespace

extern "C" {

// EXPECT: mrs r0, PRIMASK | cpsid i
cpu::state save_and_mask() { return cpu::save_and_mask(); }

// EXPECT: msr PRIMASK, r0
void restore(cpu::state before) { cpu::restore(before); }

// EXPECT: mrs r\d, IPSR
std::uintptr_t context() { return cpu::context(); }

// EXPECT: dsb sy | wfi
void wait_for_interrupt() { cpu::wait_for_interrupt(); }

// EXPECT: wfe
void wait_for_event() { cpu::wait_for_event(); }

// EXPECT: dsb sy | sev
void send_event() { cpu::send_event(); }

// EXPECT: mrs r\d, PRIMASK | cpsid i | ldrb r\d, \[r\d.*\] | dsb sy | wfi | msr PRIMASK, r\d | isb sy
void sleep_unless_ready() { cortex_m::sleep<>::unless(is_ready); }

// EXPECT: mrs r\d, PRIMASK | cpsid i | msr PRIMASK, r\d
void exclude()
{
    rpmsg::policy::interrupt_mask<cpu> exclusion;
    const rpmsg::policy::scope held{exclusion};
}

// EXPECT: dsb sy | str r\d, \[r\d.*\]
void ring_mhu() { mhu{}.ring(rpmsg::policy::vring_id::to_device); }

// EXPECT: ldr r\d, \[r\d.*\]
bool look_at_mhu() { return mhu::pending() != 0; }

// EXPECT: str r\d, \[r\d.*\] | ldr r\d, \[r\d.*\] | dsb sy
void acknowledge_mhu() { mhu::acknowledge(); }

// EXPECT: dsb sy | ldr r\d, \[r\d.*\] | str(pl)? r\d, \[r\d.*\]
void ring_mailbox(std::uint32_t id) { mailbox{}.ring(rpmsg::policy::vring_id::to_device, id); }
}
