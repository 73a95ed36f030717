#pragma once

#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

/// Two Cortex-M33 (QEMU mps2-an521), which interrupt each other by the SSE-200's message handling units.
///
/// @tparam Core  0 drives, 1 is the device. Each link has a unit of its own: MHU0 interrupts as IRQ 6, MHU1 as 7.
template <unsigned Core>
struct an521 {
    static volatile std::uint32_t& at(std::uintptr_t address) noexcept
    {
        return *reinterpret_cast<volatile std::uint32_t*>(address);
    }
    static constexpr std::uintptr_t mhu(unsigned link) { return 0x5000'3000 + 0x1000 * link; }

    /// Both cores include this: where each link lies in the shared SRAM.
    template <unsigned Link>
    static constexpr auto layout = rpmsg::lay_out<rpmsg::memory_plan{
        .address = 0x3000'0000 + 0x8000 * Link, .size = 0x8000, .ring_align = 64, .part_align = 64}>();

    struct still_clock {
        static constexpr std::uint32_t ticks_per_second = 1;
        static std::uint32_t now() noexcept { return 0; }
    };
    struct wfi {
        template <typename Ready, typename Deadline>
        void sleep(Ready&& ready, Deadline /*until*/) noexcept
        {
            sleep_unless(ready);
        }
    };
    template <unsigned Link>
    struct board : rpmsg::policy::board_defaults {
        struct doorbell : rpmsg::policy::doorbell_defaults {
            static constexpr bool always_ring = true;
            void ring(rpmsg::policy::vring_id /*which*/) noexcept
            {
                at(mhu(Link) + (Core == 0 ? 0x14 : 0x04)) = 1;
            }
        };
        using coherence = rpmsg::policy::smp;
        using address_map = rpmsg::policy::identity<0x3000'0000 + 0x8000 * Link, 0x8000>;
        using wait = wfi;
        using clock = still_clock;
        static constexpr std::size_t address_slots = 16;
    };

    static void sleep_unless(auto has_work) noexcept
    {
        asm volatile("cpsid i" ::: "memory");
        if (!has_work())
            asm volatile("dsb\n wfi" ::: "memory");
        asm volatile("cpsie i\n isb" ::: "memory");
    }
    /// The interrupt of a link's unit.
    template <unsigned Link>
    static void doorbell_rang() noexcept
    {
        at(mhu(Link) + (Core == 0 ? 0x08 : 0x18)) = 0xF;
    }
    static void start() noexcept
    {
        at(0xE000'E100) = 3U << 6U;   // NVIC: IRQ 6 and 7
        at(0xE000'E014) = 0xFF'FFFF;  // SysTick counts what the cores do, where time is instructions
        at(0xE000'E010) = 5;
    }
    /// Lets the other core run from its vectors.
    static void start_device() noexcept
    {
        at(0x5002'1114) = 0x1020'0000;  // INITSVTOR1
        at(0x5002'1118) = 0;            // CPUWAIT
    }
    static std::span<std::byte> table_of_device() noexcept
    {
        return {reinterpret_cast<std::byte*>(0x3810'0000), 4096};
    }
    static std::uint32_t instructions() noexcept { return (0xFF'FFFF - at(0xE000'E018)) * 50; }
};
