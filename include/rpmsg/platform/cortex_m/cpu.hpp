#pragma once

#include <rpmsg/platform/interrupt_sleep.hpp>

#include <cstdint>

namespace rpmsg::platform::cortex_m {

/// Instructions of any Cortex-M. `policy::interrupt_mask<cortex_m::cpu>` masks all interrupts of
/// configurable priority.
///
/// @context Thread or ISR, privileged: unprivileged code masks nothing, and is not told.
/// Source: Armv8-M Architecture Reference Manual DDI0553, PRIMASK, IPSR; Armv6-M DDI0419, B1.4
struct cpu {
    using state = std::uint32_t;  ///< PRIMASK.

    [[nodiscard]] static state save_and_mask() noexcept
    {
        state before;
        asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(before)::"memory");
        return before;
    }
    static void restore(state before) noexcept { asm volatile("msr primask, %0" ::"r"(before) : "memory"); }

    /// The number of the active exception, 0 in a thread: IPSR. It tells handlers apart, and not the threads of
    /// an RTOS.
    [[nodiscard]] static std::uintptr_t context() noexcept
    {
        std::uint32_t active;
        asm volatile("mrs %0, ipsr" : "=r"(active));
        return active & 0x1FF;
    }

    /// WFI; with PRIMASK set it ends too when an interrupt is pending.
    static void wait_for_interrupt() noexcept { asm volatile("dsb sy\n\twfi" ::: "memory"); }
    static void take_pending() noexcept { isb(); }

    /// WFE, which SEV of the other core ends, too: for policy::yielding.
    static void wait_for_event() noexcept { asm volatile("wfe" ::: "memory"); }
    /// Ends the WFE of the other core.
    static void send_event() noexcept { asm volatile("dsb sy\n\tsev" ::: "memory"); }

    static void dsb() noexcept { asm volatile("dsb sy" ::: "memory"); }
    static void isb() noexcept { asm volatile("isb sy" ::: "memory"); }
};

/// The same, but interrupts that are more urgent go on: those must not call the bus.
///
/// Only to mask: WFI does not end for what BASEPRI holds back, so sleep<> takes cpu. Not for a Cortex-M7 r0p0
/// or r0p1 (erratum 837070: BASEPRI takes effect late). Armv7-M and Armv8-M Mainline.
///
/// @tparam Priority  As the register holds it: `number << (8 - priority bits)`. Interrupts with this
///                   priority number and larger ones are masked.
/// Source: Armv8-M Architecture Reference Manual DDI0553, BASEPRI; "MSR (register)", BASEPRI_MAX
template <std::uint32_t Priority>
struct cpu_up_to {
    static_assert(Priority > 0 && Priority <= 0xFF, "BASEPRI has 8 bits, and 0 masks nothing");

    using state = std::uint32_t;  ///< BASEPRI.

    [[nodiscard]] static state save_and_mask() noexcept
    {
        state before;
        // BASEPRI_MAX only ever masks more.
        asm volatile("mrs %0, basepri\n\tmsr basepri_max, %1" : "=&r"(before) : "r"(Priority) : "memory");
        return before;
    }
    static void restore(state before) noexcept { asm volatile("msr basepri, %0" ::"r"(before) : "memory"); }
    [[nodiscard]] static std::uintptr_t context() noexcept { return cpu::context(); }
};

/// Sleeps in WFI: a model of policy::wait.
template <sleeping_cpu Cpu = cpu>
using sleep = interrupt_sleep<Cpu>;

}  // namespace rpmsg::platform::cortex_m
