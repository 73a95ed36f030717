#pragma once

#include "board.hpp"

#include "../support/semihosting.hpp"

/// One core of the pair, as the application wants it. CORE is 0 (A53) or 1 (R5).
struct machine : zcu102<CORE> {
    static void start() noexcept
    {
        if constexpr (CORE == 0) {
            at(gic + 0x100 + 4 * 3) = 1;  // INTID 96 is the IPI's
            *reinterpret_cast<volatile std::uint8_t*>(gic + 0x800 + 96) = 1;
            at(gic) = 1;
            at(gic + 0x1'0004) = 0xFF;
            at(gic + 0x1'0000) = 1;
            at(ipi + 0x18) = to_a53;
        } else {
            at(ipi + 0x1C) = to_r5;  // our flag raises our line, not the other's
        }
        unmask();
    }
    /// PSCI CPU_ON, as firmware below Linux's remoteproc does it.
    static void start_device() noexcept;
    static std::uint32_t instructions() noexcept;
    /// Both cores see memory where it is.
    static std::span<std::byte> memory(const rpmsg::memory_layout& layout) noexcept
    {
        return {reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(layout.address())), layout.size()};
    }
    /// The board's models have no state.
    template <typename Board>
    static rpmsg::policy::set<Board> models() noexcept
    {
        return {};
    }
    static void say(const char* what) noexcept
    {
        semihosting::write(what);
        semihosting::write("\n");
    }
    static void say_figure(const char* what, std::uint32_t number) noexcept
    {
        semihosting::write(what, number);
    }
    [[noreturn]] static void finish(std::uint32_t status) noexcept { semihosting::end(status); }
    /// As after a reset of this core alone.
    [[noreturn]] static void restart() noexcept;

    static void mask() noexcept
    {
#if defined(__aarch64__)
        asm volatile("msr daifset, #2" ::: "memory");
#else
        asm volatile("cpsid i" ::: "memory");
#endif
    }
    static void unmask() noexcept
    {
#if defined(__aarch64__)
        asm volatile("msr daifclr, #2\n isb" ::: "memory");
#else
        asm volatile("cpsie i" ::: "memory");
#endif
    }
};

template <unsigned Core>
void zcu102<Core>::sleep_unless(auto has_work) noexcept
{
    if constexpr (Core == 1 && polls) {
        asm volatile("yield");
    } else {
        machine::mask();
        if (!has_work())
            asm volatile("dsb sy\n wfi" ::: "memory");
        machine::unmask();
    }
}
