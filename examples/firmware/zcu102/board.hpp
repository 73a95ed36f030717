#pragma once

#include <rpmsg/platform/cortex_a/cpu.hpp>
#include <rpmsg/platform/cortex_r/cpu.hpp>
#include <rpmsg/platform/mmio.hpp>
#include <rpmsg/platform/zynqmp_ipi.hpp>
#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

/// A 64-bit Cortex-A53 that drives, and a 32-bit Cortex-R5F that is the device (QEMU xlnx-zcu102), which interrupt
/// each other by the ZynqMP's IPI block. Where that is not wired (POLLS) the R5 polls, and sets the A53's interrupt
/// pending at the interrupt controller.
template <unsigned Core>
struct zcu102 {
    static constexpr std::uintptr_t gic = 0xF901'0000;
    static constexpr auto a53 = rpmsg::platform::zynqmp_agent::apu;
    static constexpr auto r5 = rpmsg::platform::zynqmp_agent::rpu_0;
    /// QEMU has one IPI block: what was triggered for us is cleared by our own bit, not by the peer's.
    using ipi = rpmsg::platform::zynqmp_ipi<0xFF30'0000, Core == 0 ? r5 : a53, Core == 0 ? a53 : r5>;

    /// Both cores include this: where each link lies in DDR.
    template <unsigned Link>
    static constexpr auto layout =
        rpmsg::lay_out<rpmsg::memory_plan{.address = 0x3ED4'0000 + 0x1'0000 * Link, .size = 0x1'0000}>();

    struct still_clock {
        static constexpr std::uint32_t ticks_per_second = 1;
        static std::uint32_t now() noexcept { return 0; }
    };
    /// Where nothing interrupts the R5 it looks again and again, and the A53 is interrupted by its controller.
    struct poll {
        static void unless(auto&& /*ready*/) noexcept { asm volatile("yield"); }
        static void sleep(auto&& /*ready*/, auto /*until*/) noexcept { asm volatile("yield"); }
    };
    struct pend : rpmsg::policy::doorbell_defaults {
        static void ring(rpmsg::policy::vring_id /*which*/) noexcept
        {
            rpmsg::policy::system{}.full_barrier();
            rpmsg::platform::mmio::write(gic + 0x200 + 4 * 3, 1);
        }
    };
    static constexpr bool device_polls = Core == 1 && POLLS != 0;
    using interrupt_sleep =
        std::conditional_t<Core == 0, rpmsg::platform::cortex_a::sleep<>, rpmsg::platform::cortex_r::sleep<>>;
    using sleep = std::conditional_t<device_polls, poll, interrupt_sleep>;

    template <unsigned Link>
    struct board : rpmsg::policy::board_defaults {
        using doorbell = std::conditional_t<device_polls, pend, ipi>;
        using coherence = rpmsg::policy::system;  // cores of two kinds
        using address_map = rpmsg::policy::identity<0x3ED4'0000 + 0x1'0000 * Link, 0x1'0000>;
        using wait = sleep;
        using clock = still_clock;
        static constexpr std::size_t address_slots = 16;
    };

    static void sleep_unless(auto has_work) noexcept { sleep::unless(has_work); }
    static void doorbell_rang() noexcept { ipi::acknowledge(); }
    static std::span<std::byte> table_of_device() noexcept
    {
        return {reinterpret_cast<std::byte*>(0x0018'0000), 4096};
    }
};
