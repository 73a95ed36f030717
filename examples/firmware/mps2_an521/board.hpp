#pragma once

#include <rpmsg/platform/cortex_m/cpu.hpp>
#include <rpmsg/platform/mmio.hpp>
#include <rpmsg/platform/sse200_mhu.hpp>
#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

/// Two Cortex-M33 (QEMU mps2-an521), which interrupt each other by the SSE-200's message handling units.
///
/// @tparam Core  0 drives, 1 is the device. Each link has a unit of its own: MHU0 interrupts as IRQ 6, MHU1 as 7.
template <unsigned Core>
struct an521 {
    using cpu = rpmsg::platform::cortex_m::cpu;
    using sleep = rpmsg::platform::cortex_m::sleep<>;

    /// Both cores include this: where each link lies in the shared SRAM.
    template <unsigned Link>
    static constexpr auto layout = rpmsg::lay_out<rpmsg::memory_plan{
        .address = 0x3000'0000 + 0x8000 * Link, .size = 0x8000, .ring_align = 64, .part_align = 64}>();

    struct still_clock {
        static constexpr std::uint32_t ticks_per_second = 1;
        static std::uint32_t now() noexcept { return 0; }
    };
    template <unsigned Link>
    struct board : rpmsg::policy::board_defaults {
        using doorbell = rpmsg::platform::sse200_mhu<0x5000'3000 + 0x1000 * Link, Core>;
        using coherence = rpmsg::policy::smp;
        using address_map = rpmsg::policy::identity<0x3000'0000 + 0x8000 * Link, 0x8000>;
        using wait = sleep;
        using clock = still_clock;
        static constexpr std::size_t address_slots = 16;
    };

    static void sleep_unless(auto has_work) noexcept { sleep::unless(has_work); }
    /// The interrupt of a link's unit.
    template <unsigned Link>
    static void doorbell_rang() noexcept
    {
        board<Link>::doorbell::acknowledge();
    }
    static void start() noexcept
    {
        using rpmsg::platform::mmio;
        mmio::write(0xE000'E100, 3U << 6U);   // NVIC: IRQ 6 and 7
        mmio::write(0xE000'E014, 0xFF'FFFF);  // SysTick counts what the cores do, where time is instructions
        mmio::write(0xE000'E010, 5);
    }
    /// Lets the other core run from its vectors.
    static void start_device() noexcept
    {
        rpmsg::platform::mmio::write(0x5002'1114, 0x1020'0000);  // INITSVTOR1
        rpmsg::platform::mmio::write(0x5002'1118, 0);            // CPUWAIT
    }
    static std::span<std::byte> table_of_device() noexcept
    {
        return {reinterpret_cast<std::byte*>(0x3810'0000), 4096};
    }
    static std::uint32_t instructions() noexcept
    {
        return (0xFF'FFFF - rpmsg::platform::mmio::read(0xE000'E018)) * 50;
    }
};
