#pragma once

#include <rpmsg/policy/clock.hpp>

#include <atomic>
#include <cstdint>

namespace rpmsg::testing {

/// A clock that stands still until a test moves it; a recording_wait moves it at each sleep.
///
/// @tparam Tag             Tells clocks apart: each has its own time.
/// @tparam TicksPerSecond  Its rate.
/// @context Any thread.
template <typename Tag, std::uint32_t TicksPerSecond = 1000>
struct basic_manual_clock {
    static constexpr std::uint32_t ticks_per_second = TicksPerSecond;

    static std::uint32_t now() noexcept { return time().load(std::memory_order_relaxed); }

    /// Begins a test: the time, and how far each sleep moves it.
    static void set(std::uint32_t now, std::uint32_t ticks_each_sleep = 1) noexcept
    {
        time().store(now, std::memory_order_relaxed);
        each_sleep().store(ticks_each_sleep, std::memory_order_relaxed);
    }
    /// Moves on.
    static void advance(std::uint32_t ticks) noexcept { time().fetch_add(ticks, std::memory_order_relaxed); }
    /// Moves on as far as a sleep takes.
    static void slept() noexcept { advance(each_sleep().load(std::memory_order_relaxed)); }

private:
    static std::atomic<std::uint32_t>& time() noexcept
    {
        static constinit std::atomic<std::uint32_t> ticks{0};
        return ticks;
    }
    static std::atomic<std::uint32_t>& each_sleep() noexcept
    {
        static constinit std::atomic<std::uint32_t> ticks{1};
        return ticks;
    }
};

using manual_clock = basic_manual_clock<void>;
static_assert(policy::clock<manual_clock>);

}  // namespace rpmsg::testing
