#pragma once

#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

/// A 64-bit Cortex-A53 that drives, and a 32-bit Cortex-R5F that is the device (QEMU xlnx-zcu102), which interrupt
/// each other by the ZynqMP's IPI block. Where that is not wired (POLLS) the R5 polls, and sets the A53's interrupt
/// pending at the interrupt controller.
template <unsigned Core>
struct zcu102 {
    static constexpr std::uintptr_t ipi = 0xFF30'0000;
    static constexpr std::uintptr_t gic = 0xF901'0000;
    static constexpr std::uint32_t to_a53 = 1U << 0U;
    static constexpr std::uint32_t to_r5 = 1U << 8U;
    static constexpr bool polls = POLLS != 0;
    static volatile std::uint32_t& at(std::uintptr_t address) noexcept
    {
        return *reinterpret_cast<volatile std::uint32_t*>(address);
    }

    /// Both cores include this: where each link lies in DDR.
    template <unsigned Link>
    static constexpr auto layout =
        rpmsg::lay_out<rpmsg::memory_plan{.address = 0x3ED4'0000 + 0x1'0000 * Link, .size = 0x1'0000}>();

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
                asm volatile("dsb sy" ::: "memory");
                if constexpr (Core == 1 && polls)
                    at(gic + 0x200 + 4 * 3) = 1;
                else
                    at(ipi) = Core == 0 ? to_r5 : to_a53;
            }
        };
        using coherence = rpmsg::policy::system;  // cores of two kinds
        using address_map = rpmsg::policy::identity<0x3ED4'0000 + 0x1'0000 * Link, 0x1'0000>;
        using wait = wfi;
        using clock = still_clock;
        static constexpr std::size_t address_slots = 16;
    };

    static void sleep_unless(auto has_work) noexcept;  // start_a53.cpp, start_r5.cpp say how
    static void doorbell_rang() noexcept { at(ipi + 0x10) = Core == 0 ? to_a53 : to_r5; }
    static std::span<std::byte> table_of_device() noexcept
    {
        return {reinterpret_cast<std::byte*>(0x0018'0000), 4096};
    }
};
