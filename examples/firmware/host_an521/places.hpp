#pragma once

#include <rpmsg/rpmsg.hpp>

#include <cstdint>

/// What the process and the firmware agree on. The first page of the board's RAM holds the table.
struct places {
    static constexpr std::uint32_t ram = 0x8000'0000;
    static constexpr std::uint32_t ram_size = 0x100'0000;

    template <unsigned Link>
    static constexpr auto layout = rpmsg::lay_out<rpmsg::memory_plan{
        .address = ram + 0x1000 + 0x1'0000 * Link, .size = 0x1'0000, .ring_align = 64}>();

    struct still_clock {
        static constexpr std::uint32_t ticks_per_second = 1;
        static std::uint32_t now() noexcept { return 0; }
    };
};
