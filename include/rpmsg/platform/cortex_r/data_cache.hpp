#pragma once

#include <rpmsg/platform/cortex_r/cpu.hpp>
#include <rpmsg/policy/coherence.hpp>

#include <concepts>
#include <cstddef>

namespace rpmsg::platform::cortex_r {

/// The instructions that a data_cache is made of.
template <typename T>
concept caching_cpu = requires(const void* line) {
    { T::clean(line) } noexcept -> std::same_as<void>;
    { T::invalidate(line) } noexcept -> std::same_as<void>;
    { T::clean_and_invalidate(line) } noexcept -> std::same_as<void>;
    { T::dsb() } noexcept -> std::same_as<void>;
};

/// The data cache of a Cortex-R5, by address: `policy::cached<32, cortex_r::data_cache<>>`.
///
/// Each operation is a write to c7 of CP15: DCCMVAC, DCIMVAC, DCCIMVAC, to the point of coherency. They are in
/// order with loads and stores of the same line; complete() waits until memory has them.
///
/// Source: Arm DDI0406 "Armv7-A/R Architecture Reference Manual", B2.2.7 "About Armv7 cache and branch predictor maintenance";
/// Arm DDI0460 "Cortex-R5 Technical Reference Manual", 4.3.
///
/// @tparam Line  Bytes of a line: 32 on a Cortex-R5.
/// @context Thread or ISR, privileged.
template <std::size_t Line = 32, caching_cpu Cpu = cpu>
struct data_cache {
    static constexpr std::size_t line = Line;

    static void clean_line(const void* at) noexcept { Cpu::clean(at); }
    static void invalidate_line(const void* at) noexcept { Cpu::invalidate(at); }
    /// For the shared memory as a whole, before the link is set up: what was cached of it is gone.
    static void clean_and_invalidate_line(const void* at) noexcept { Cpu::clean_and_invalidate(at); }
    static void complete() noexcept { Cpu::dsb(); }
};
static_assert(policy::cache_operations<data_cache<>>);

}  // namespace rpmsg::platform::cortex_r
