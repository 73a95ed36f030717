#pragma once

#include <rpmsg/platform/interrupt_sleep.hpp>

#include <cstdint>

namespace rpmsg::platform::riscv {

/// Instructions of RISC-V in machine mode, rv32 and rv64 (Zicsr). `policy::interrupt_mask<counted<riscv::cpu,
/// depth>>` masks all interrupts (see interrupt_depth.hpp: the processor does not tell a handler from a thread).
///
/// @context Thread or ISR.
/// Source: RISC-V Privileged Architecture 20211203, 3.1.6.1 "Privilege and Global Interrupt-Enable Stack",
///       3.3.3 "Wait for Interrupt"
struct cpu {
    using state = std::uintptr_t;  ///< mstatus.MIE.

    [[nodiscard]] static state save_and_mask() noexcept
    {
        state before;
        asm volatile("csrrci %0, mstatus, 8" : "=r"(before)::"memory");
        return before & 8;
    }
    static void restore(state before) noexcept { asm volatile("csrs mstatus, %0" ::"r"(before) : "memory"); }

    /// WFI; with mstatus.MIE clear it ends too when an interrupt is pending that mie has.
    static void wait_for_interrupt() noexcept { asm volatile("wfi" ::: "memory"); }
    /// A write to mstatus takes what is pending at once.
    static void take_pending() noexcept {}

    /// This hart's number.
    [[nodiscard]] static std::uintptr_t hart() noexcept
    {
        std::uintptr_t number;
        asm volatile("csrr %0, mhartid" : "=r"(number));
        return number;
    }
};

/// Sleeps in WFI: a model of policy::wait.
template <sleeping_cpu Cpu = cpu>
using sleep = interrupt_sleep<Cpu>;

}  // namespace rpmsg::platform::riscv
