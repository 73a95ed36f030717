#pragma once

#include <rpmsg/platform/riscv/cpu.hpp>
#include <rpmsg/platform/riscv_clint.hpp>
#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

/// Two RISC-V harts (QEMU virt, 32 or 64 bits), which interrupt each other by the CLINT's software interrupts.
///
/// @tparam Core  The hart: 0 drives, 1 is the device. Both links ring the same interrupt.
template <unsigned Core>
struct riscv_virt {
    using bell = rpmsg::platform::riscv_clint<0x0200'0000, Core, 1 - Core>;
    using sleep = rpmsg::platform::riscv::sleep<>;

    /// Both harts include this: where each link lies in the RAM that neither image uses.
    template <unsigned Link>
    static constexpr auto layout = rpmsg::lay_out<rpmsg::memory_plan{
        .address = 0x8060'0000 + 0x8000 * Link, .size = 0x8000, .ring_align = 64, .part_align = 64}>();

    struct still_clock {
        static constexpr std::uint32_t ticks_per_second = 1;
        static std::uint32_t now() noexcept { return 0; }
    };
    template <unsigned Link>
    struct board : rpmsg::policy::board_defaults {
        using doorbell = bell;
        using coherence = rpmsg::policy::smp;
        using address_map = rpmsg::policy::identity<0x8060'0000 + 0x8000 * Link, 0x8000>;
        using wait = sleep;
        using clock = still_clock;
        static constexpr std::size_t address_slots = 16;
    };

    static void sleep_unless(auto has_work) noexcept { sleep::unless(has_work); }
    static void doorbell_rang() noexcept { bell::acknowledge(); }
    static void start() noexcept { asm volatile("csrsi mie, 8\n csrsi mstatus, 8" ::: "memory"); }
    /// The other hart waits for this: see start.cpp.
    static void start_device() noexcept { bell{}.ring(rpmsg::policy::vring_id::to_device); }
    static std::span<std::byte> table_of_device() noexcept
    {
        return {reinterpret_cast<std::byte*>(0x8030'0000), 4096};
    }
    static std::uint32_t instructions() noexcept
    {
        std::uintptr_t count = 0;
        asm volatile("csrr %0, minstret" : "=r"(count));
        return static_cast<std::uint32_t>(count);
    }
};
