#pragma once

#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/policy/clock.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace platform_test {

using until = rpmsg::policy::deadline<rpmsg::platform::monotonic_clock>;

/// Only tells a hang from a slow machine.
inline constexpr std::chrono::seconds a_hang{100};

inline constexpr std::uint32_t rallies = 20'000;

/// Plays one side of a ball that goes back and forth: the even strokes or the odd ones.
///
/// @return  Whether no stroke was slept through: the ball came, and not only when the deadline had passed.
template <typename Doorbell, typename Wait>
bool play(std::uint32_t& ball, std::uint32_t first_stroke, Doorbell peer, Wait wait)
{
    const std::atomic_ref at{ball};
    for (std::uint32_t stroke = first_stroke; stroke < 2 * rallies; stroke += 2) {
        const auto is_here = [&]() noexcept { return at.load(std::memory_order_acquire) == stroke; };
        // Now and then be late in different ways, so that rings come at every point of falling asleep.
        for (std::uint32_t i = 0; i < (stroke / 2) % 97 && !is_here(); ++i) {}
        const until deadline{a_hang};
        while (!is_here()) {
            wait.sleep(is_here, deadline);
            if (deadline.passed())
                return false;
        }
        at.store(stroke + 1, std::memory_order_release);
        peer.ring();
    }
    return true;
}

}  // namespace platform_test
