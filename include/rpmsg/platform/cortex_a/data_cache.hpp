#pragma once

#include <rpmsg/platform/cortex_a/cpu.hpp>
#include <rpmsg/policy/coherence.hpp>

#include <concepts>
#include <cstddef>

namespace rpmsg::platform::cortex_a {

/// The instructions that a data_cache is made of.
template <typename T>
concept caching_cpu = requires(const void* line) {
    { T::clean(line) } noexcept -> std::same_as<void>;
    { T::invalidate(line) } noexcept -> std::same_as<void>;
    { T::clean_and_invalidate(line) } noexcept -> std::same_as<void>;
    { T::dsb() } noexcept -> std::same_as<void>;
};

/// The data cache of AArch64, by address: `policy::cached<64, cortex_a::data_cache<>>`.
///
/// DC CVAC, DC IVAC and DC CIVAC, to the point of coherency. They are in order with loads and stores of the
/// same line; complete() waits until memory has them.
///
/// Source: Arm DDI0487 "Arm Architecture Reference Manual", D7.5.9 "Cache maintenance instructions".
///
/// @tparam Line  Bytes of a line: 64 on the Cortex-A53 and most others. A board that is not sure compares it with
///               cpu::data_cache_line() when it starts: a shorter one would be left out.
/// @context Thread or ISR, privileged.
template <std::size_t Line = 64, caching_cpu Cpu = cpu>
struct data_cache {
    static constexpr std::size_t line = Line;

    static void clean_line(const void* at) noexcept { Cpu::clean(at); }
    static void invalidate_line(const void* at) noexcept { Cpu::invalidate(at); }
    /// For the shared memory as a whole, before the link is set up: what was cached of it is gone.
    static void clean_and_invalidate_line(const void* at) noexcept { Cpu::clean_and_invalidate(at); }
    static void complete() noexcept { Cpu::dsb(); }
};
static_assert(policy::cache_operations<data_cache<>>);

}  // namespace rpmsg::platform::cortex_a
