#pragma once

#include "board.hpp"

#include "../support/semihosting.hpp"

/// One core of the pair, as the application wants it. CORE is 0 (A53) or 1 (R5).
struct machine : zcu102<CORE> {
    static void start() noexcept
    {
        using rpmsg::platform::mmio;
        if constexpr (CORE == 0) {
            mmio::write(gic + 0x100 + 4 * 3, 1);  // INTID 96 is the IPI's
            *reinterpret_cast<volatile std::uint8_t*>(gic + 0x800 + 96) = 1;
            mmio::write(gic, 1);
            mmio::write(gic + 0x1'0004, 0xFF);
            mmio::write(gic + 0x1'0000, 1);
            ipi::enable();
            rpmsg::platform::cortex_a::cpu::restore(0);
        } else {
            ipi::disable();  // our flag raises our line, not the A53's
            asm volatile("cpsie i" ::: "memory");
        }
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
};
