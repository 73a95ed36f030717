#pragma once

#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

/// Two RISC-V harts (QEMU virt, 32 or 64 bits), which interrupt each other by the CLINT's software interrupts.
///
/// @tparam Core  The hart: 0 drives, 1 is the device. Both links ring the same interrupt.
template <unsigned Core>
struct riscv_virt {
    static volatile std::uint32_t& msip(unsigned hart) noexcept
    {
        return *reinterpret_cast<volatile std::uint32_t*>(std::uintptr_t{0x0200'0000} + 4 * hart);
    }

    /// Both harts include this: where each link lies in the RAM that neither image uses.
    template <unsigned Link>
    static constexpr auto layout = rpmsg::lay_out<rpmsg::memory_plan{
        .address = 0x8060'0000 + 0x8000 * Link, .size = 0x8000, .ring_align = 64, .part_align = 64}>();

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
            void ring(rpmsg::policy::vring_id /*which*/) noexcept
            {
                asm volatile("fence w, o" ::: "memory");  // memory before the device
                msip(1 - Core) = 1;
            }
        };
        using coherence = rpmsg::policy::smp;
        using address_map = rpmsg::policy::identity<0x8060'0000 + 0x8000 * Link, 0x8000>;
        using wait = wfi;
        using clock = still_clock;
        static constexpr std::size_t address_slots = 16;
    };

    static void sleep_unless(auto has_work) noexcept
    {
        asm volatile("csrci mstatus, 8" ::: "memory");
        if (!has_work())
            asm volatile("wfi" ::: "memory");
        asm volatile("csrsi mstatus, 8" ::: "memory");
    }
    static void doorbell_rang() noexcept { msip(Core) = 0; }
    static void start() noexcept { asm volatile("csrsi mie, 8\n csrsi mstatus, 8" ::: "memory"); }
    /// The other hart waits for this: see start.cpp.
    static void start_device() noexcept { msip(1) = 1; }
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
