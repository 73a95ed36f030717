#pragma once

#include <rpmsg/platform/interrupt_sleep.hpp>

#include <cstdint>

namespace rpmsg::platform::cortex_r {

/// Instructions of Cortex-R4 to R8, and of 32-bit Cortex-A. `policy::interrupt_mask<cortex_r::cpu>` masks IRQ;
/// handlers of FIQ must not call the bus.
///
/// @context Thread or ISR, privileged.
/// Source: Armv7-A/R Architecture Reference Manual DDI0406, B1.3 "The Current Program Status Register"; c7 of CP15
struct cpu {
    using state = std::uint32_t;  ///< CPSR.

    [[nodiscard]] static state save_and_mask() noexcept
    {
        const state before = status();
        asm volatile("cpsid i" ::: "memory");
        return before;
    }
    /// @param before  Of the same context: its mode is that of now.
    static void restore(state before) noexcept { asm volatile("msr cpsr_c, %0" ::"r"(before) : "memory"); }

    /// The processor's mode: in a handler IRQ, in a thread another one. A handler that changes to System or
    /// Supervisor mode in order to be interrupted needs counted<> instead.
    [[nodiscard]] static std::uintptr_t context() noexcept { return status() & 0x1F; }

    /// WFI; it ends too when an interrupt is pending that the CPSR masks.
    static void wait_for_interrupt() noexcept { asm volatile("dsb sy\n\twfi" ::: "memory"); }
    static void take_pending() noexcept { isb(); }

    /// WFE, which SEV of the other core ends, too: for policy::yielding.
    static void wait_for_event() noexcept { asm volatile("wfe" ::: "memory"); }
    /// Ends the WFE of the other core.
    static void send_event() noexcept { asm volatile("dsb sy\n\tsev" ::: "memory"); }

    static void dsb() noexcept { asm volatile("dsb sy" ::: "memory"); }
    static void isb() noexcept { asm volatile("isb sy" ::: "memory"); }

    /// DCCMVAC: writes the line back.
    static void clean(const void* line) noexcept
    {
        asm volatile("mcr p15, 0, %0, c7, c10, 1" ::"r"(line) : "memory");
    }
    /// DCIMVAC: drops the line.
    static void invalidate(const void* line) noexcept
    {
        asm volatile("mcr p15, 0, %0, c7, c6, 1" ::"r"(line) : "memory");
    }
    /// DCCIMVAC: both.
    static void clean_and_invalidate(const void* line) noexcept
    {
        asm volatile("mcr p15, 0, %0, c7, c14, 1" ::"r"(line) : "memory");
    }

private:
    static state status() noexcept
    {
        state now;
        asm volatile("mrs %0, cpsr" : "=r"(now)::"memory");
        return now;
    }
};

/// Sleeps in WFI: a model of policy::wait.
template <sleeping_cpu Cpu = cpu>
using sleep = interrupt_sleep<Cpu>;

}  // namespace rpmsg::platform::cortex_r
