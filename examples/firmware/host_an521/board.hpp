#pragma once

#include "places.hpp"

#include <rpmsg/platform/cortex_m/cpu.hpp>
#include <rpmsg/platform/mmio.hpp>
#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <cstdint>

/// One Cortex-M33 (QEMU mps2-an521) whose doorbell is a byte over UART1, both ways.
struct an521_by_uart : places {
    static constexpr std::uintptr_t uart = 0x5020'1000;
    using mmio = rpmsg::platform::mmio;
    using sleep = rpmsg::platform::cortex_m::sleep<>;

    template <unsigned Link>
    struct board : rpmsg::policy::board_defaults {
        struct doorbell : rpmsg::policy::doorbell_defaults {
            static constexpr bool always_ring = true;  // see emulator.hpp
            void ring(rpmsg::policy::vring_id /*which*/) noexcept { ring_process(); }
        };
        using coherence = rpmsg::policy::system;  // the other side is no core of this chip
        using address_map = rpmsg::policy::identity<ram, ram_size>;
        using wait = sleep;
        using clock = still_clock;
        static constexpr std::size_t address_slots = 16;
    };

    static void ring_process() noexcept
    {
        mmio::memory_before_write();
        if ((mmio::read(uart + 4) & 1) == 0)  // else a byte is on its way already
            mmio::write(uart, '!');
    }
    static void sleep_unless(auto has_work) noexcept { sleep::unless(has_work); }
    /// UART1's interrupt, IRQ 43.
    static void doorbell_rang() noexcept
    {
        mmio::write(uart + 0xC, 2);  // first: a byte that comes from here on interrupts again
        while ((mmio::read(uart + 4) & 2) != 0)
            static_cast<void>(mmio::read(uart));
    }
    static void start() noexcept
    {
        mmio::write(uart + 0x10, 16);
        mmio::write(uart + 8, 0xB);
        // What came before; and QEMU, which looks for bytes once a second else, looks now.
        static_cast<void>(mmio::read(uart));
        mmio::write(0xE000'E104, 1U << (43U - 32U));
        ring_process();  // it waits until the image is there
    }
};
