#pragma once

#include <rpmsg/policy/clock.hpp>

#include <cstdint>

#include <time.h>

namespace rpmsg::platform {

/// CLOCK_MONOTONIC in microseconds: the longest wait is 35 minutes.
///
/// @context Any thread or signal handler; about 20 ns, no system call where the kernel has a vDSO.
struct monotonic_clock {
    static constexpr std::uint32_t ticks_per_second = 1'000'000;

    static std::uint32_t now() noexcept
    {
        ::timespec time{};
        ::clock_gettime(CLOCK_MONOTONIC, &time);
        // Runs around every 71 minutes, as the concept wants it.
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(time.tv_sec) * ticks_per_second +
                                          static_cast<std::uint64_t>(time.tv_nsec) / 1000);
    }
};
static_assert(policy::clock<monotonic_clock>);

}  // namespace rpmsg::platform
