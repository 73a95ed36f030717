#pragma once

#include <rpmsg/platform/cortex_m/cpu.hpp>
#include <rpmsg/platform/mmio.hpp>
#include <rpmsg/policy/coherence.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace rpmsg::platform::cortex_m {

/// The barriers around cache operations that are stores to registers.
template <typename T>
concept barriers = requires {
    { T::dsb() } noexcept -> std::same_as<void>;
    { T::isb() } noexcept -> std::same_as<void>;
};

/// The data cache of a Cortex-M7, M55 or M85, by address: `policy::cached<32, cortex_m::data_cache<>>`.
///
/// Each operation is a store to a register of the System Control Block: DCCMVAC (0xE000'EF68) cleans a line,
/// DCIMVAC (0xE000'EF5C) drops it, DCCIMVAC (0xE000'EF70) does both. Stores to memory are not in order with these;
/// so begin() waits for them, and complete() for the operations.
///
/// Source: Arm DDI0403 "Armv7-M Architecture Reference Manual", B2.2.7 "Cache maintenance operations"; Arm DUI0646
/// "Cortex-M7 Devices Generic User Guide", 4.8.
///
/// @context Thread or ISR, privileged.
template <registers Registers = mmio, barriers Cpu = cpu>
struct data_cache {
    static constexpr std::size_t line = 32;

    static void begin() noexcept { Cpu::dsb(); }
    static void clean_line(const void* at) noexcept { operate(0xE000'EF68, at); }
    static void invalidate_line(const void* at) noexcept { operate(0xE000'EF5C, at); }
    /// For the shared memory as a whole, before the link is set up: what was cached of it is gone.
    static void clean_and_invalidate_line(const void* at) noexcept { operate(0xE000'EF70, at); }
    static void complete() noexcept
    {
        Cpu::dsb();
        Cpu::isb();
    }

private:
    static void operate(std::uintptr_t operation, const void* at) noexcept
    {
        Registers::write(operation, static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(at)));
    }
};
static_assert(policy::cache_operations<data_cache<>>);

}  // namespace rpmsg::platform::cortex_m
