#pragma once

#include <rpmsg/platform/interrupt_sleep.hpp>

#include <cstddef>
#include <cstdint>

namespace rpmsg::platform::cortex_a {

/// Instructions of AArch64 at EL1 or above. `policy::interrupt_mask<counted<cortex_a::cpu, depth>>` masks IRQ
/// (see interrupt_depth.hpp: the processor does not tell a handler from a thread); handlers of FIQ must not call
/// the bus.
///
/// @context Thread or ISR.
/// Source: Arm Architecture Reference Manual DDI0487, C5.2.2 "DAIF", D7.5.9 "Cache maintenance instructions"
struct cpu {
    using state = std::uint64_t;  ///< DAIF.

    [[nodiscard]] static state save_and_mask() noexcept
    {
        state before;
        asm volatile("mrs %0, daif\n\tmsr daifset, #2" : "=r"(before)::"memory");
        return before;
    }
    static void restore(state before) noexcept { asm volatile("msr daif, %0" ::"r"(before) : "memory"); }

    /// WFI; it ends too when an interrupt is pending that DAIF masks.
    static void wait_for_interrupt() noexcept { asm volatile("dsb sy\n\twfi" ::: "memory"); }
    static void take_pending() noexcept { isb(); }

    /// WFE, which SEV of the other core ends, too: for policy::yielding.
    static void wait_for_event() noexcept { asm volatile("wfe" ::: "memory"); }
    /// Ends the WFE of the other core.
    static void send_event() noexcept { asm volatile("dsb sy\n\tsev" ::: "memory"); }

    static void dsb() noexcept { asm volatile("dsb sy" ::: "memory"); }
    static void isb() noexcept { asm volatile("isb" ::: "memory"); }

    /// DC CVAC: writes the line back.
    static void clean(const void* line) noexcept { asm volatile("dc cvac, %0" ::"r"(line) : "memory"); }
    /// DC IVAC: drops the line. A hypervisor may have it written back first.
    static void invalidate(const void* line) noexcept { asm volatile("dc ivac, %0" ::"r"(line) : "memory"); }
    /// DC CIVAC: both.
    static void clean_and_invalidate(const void* line) noexcept
    {
        asm volatile("dc civac, %0" ::"r"(line) : "memory");
    }
    /// Bytes of the shortest line of all data caches that this processor controls: CTR_EL0.DminLine.
    [[nodiscard]] static std::size_t data_cache_line() noexcept
    {
        std::uint64_t type;
        asm volatile("mrs %0, ctr_el0" : "=r"(type));
        return std::size_t{4} << ((type >> 16) & 0xF);
    }
};

/// Sleeps in WFI: a model of policy::wait.
template <sleeping_cpu Cpu = cpu>
using sleep = interrupt_sleep<Cpu>;

}  // namespace rpmsg::platform::cortex_a
