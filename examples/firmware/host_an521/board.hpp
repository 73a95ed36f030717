#pragma once

#include "places.hpp"

#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <cstdint>

/// One Cortex-M33 (QEMU mps2-an521) whose doorbell is a byte over UART1, both ways.
struct an521_by_uart : places {
    static constexpr std::uintptr_t uart = 0x5020'1000;
    static volatile std::uint32_t& at(std::uintptr_t address) noexcept
    {
        return *reinterpret_cast<volatile std::uint32_t*>(address);
    }

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
            static constexpr bool always_ring = true;  // see emulator.hpp
            void ring(rpmsg::policy::vring_id /*which*/) noexcept { ring_process(); }
        };
        using coherence = rpmsg::policy::system;  // the other side is no core of this chip
        using address_map = rpmsg::policy::identity<ram, ram_size>;
        using wait = wfi;
        using clock = still_clock;
        static constexpr std::size_t address_slots = 16;
    };

    static void ring_process() noexcept
    {
        asm volatile("dsb" ::: "memory");
        if ((at(uart + 4) & 1) == 0)  // else a byte is on its way already
            at(uart) = '!';
    }
    static void sleep_unless(auto has_work) noexcept
    {
        asm volatile("cpsid i" ::: "memory");
        if (!has_work())
            asm volatile("dsb\n wfi" ::: "memory");
        asm volatile("cpsie i\n isb" ::: "memory");
    }
    /// UART1's interrupt, IRQ 43.
    static void doorbell_rang() noexcept
    {
        at(uart + 0xC) = 2;  // first: a byte that comes from here on interrupts again
        while ((at(uart + 4) & 2) != 0)
            static_cast<void>(std::uint32_t{at(uart)});
    }
    static void start() noexcept
    {
        at(uart + 0x10) = 16;
        at(uart + 8) = 0xB;
        // What came before; and QEMU, which looks for bytes once a second else, looks now.
        static_cast<void>(std::uint32_t{at(uart)});
        at(0xE000'E104) = 1U << (43U - 32U);
        ring_process();  // it waits until the image is there
    }
};
