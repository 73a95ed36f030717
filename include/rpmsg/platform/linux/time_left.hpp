#pragma once

#include <rpmsg/policy/clock.hpp>

#include <chrono>
#include <cstdint>

#include <time.h>

namespace rpmsg::platform {

/// How long until a deadline of any clock, rounded up so that nobody sleeps too short.
///
/// @return  0 when it has passed; at most 2^31 ticks.
/// @context Any thread.
template <policy::clock Clock>
[[nodiscard]] std::chrono::nanoseconds time_left(const policy::deadline<Clock>& until) noexcept
{
    constexpr std::int64_t second = 1'000'000'000;
    constexpr std::int64_t ticks_per_second = Clock::ticks_per_second;
    // Fits: 2^31 ticks times 10^9 is less than 2^62.
    const std::int64_t ticks = until.remaining();
    return std::chrono::nanoseconds{(ticks * second + ticks_per_second - 1) / ticks_per_second};
}

/// The same as system calls want it; less than nothing is 0.
[[nodiscard]] inline ::timespec to_timespec(std::chrono::nanoseconds time) noexcept
{
    if (time.count() < 0)
        time = {};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    ::timespec out{};
    out.tv_sec = static_cast<decltype(out.tv_sec)>(seconds.count());
    out.tv_nsec = static_cast<decltype(out.tv_nsec)>((time - seconds).count());
    return out;
}

}  // namespace rpmsg::platform
