#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <ratio>
#include <type_traits>

namespace rpmsg::policy {

/// Counts ticks, up and around: 2^31 ticks are the longest wait.
///
/// @context now(): thread or ISR; never blocks.
template <typename T>
concept clock = requires {
    { T::ticks_per_second } -> std::convertible_to<std::uint32_t>;
    { T::now() } noexcept -> std::same_as<std::uint32_t>;
};

/// No time: every deadline has passed already, so a call with a deadline behaves as its try_ form.
struct no_clock {
    static constexpr std::uint32_t ticks_per_second = 1;
    static constexpr std::uint32_t now() noexcept { return 0; }
};
static_assert(clock<no_clock>);

/// A point in time until which a call may wait; made from a duration, it starts to run there and then.
///
/// Used for several calls it bounds them together:
/// @code
/// const rpmsg::policy::deadline<my_clock> until{100ms};
/// if (bus.wait_link(until) && echo.wait_bound(until))
///     echo.send(hello, until);
/// @endcode
template <clock Clock>
class deadline {
public:
    /// Already past.
    constexpr deadline() noexcept = default;

    /// `timeout` from now on, rounded up to ticks; at most 2^31 - 1 ticks; 0 or less: already past.
    template <typename Rep, typename Period>
    // NOLINTNEXTLINE(google-explicit-constructor): `send(bytes, 100ms)` is the point
    constexpr deadline(std::chrono::duration<Rep, Period> timeout) noexcept
    {
        using ticks = std::chrono::duration<std::int64_t, std::ratio<1, Clock::ticks_per_second>>;
        // In 64 bits: `longest` in microseconds is more than an int holds.
        using wide = std::chrono::duration<std::common_type_t<Rep, std::int64_t>, Period>;
        constexpr std::int64_t longest = 0x7FFF'FFFF;
        if constexpr (!std::same_as<Clock, no_clock>) {
            std::int64_t count = 0;
            if (timeout > std::chrono::duration_cast<wide>(ticks{longest}))
                count = longest;
            else if (timeout > timeout.zero())  // not the most negative one: it has no form in finer ticks
                count = std::chrono::ceil<ticks>(timeout).count();
            if (count > longest)  // floating point rounds
                count = longest;
            if (count > 0) {
                at_ = Clock::now() + static_cast<std::uint32_t>(count);
                runs_ = true;
            }
        }
    }

    /// Whether the time has come. Stays true: asked once a tick or so, it does not run around.
    [[nodiscard]] constexpr bool passed() const noexcept { return remaining() == 0; }

    /// Ticks until then, 0 when it has passed.
    [[nodiscard]] constexpr std::uint32_t remaining() const noexcept
    {
        if (!runs_)
            return 0;
        const std::uint32_t left = at_ - Clock::now();
        return left > 0x7FFF'FFFFU ? 0 : left;
    }

    /// The same time, or `ticks` from now on if that comes first. `ticks` 0: the same time.
    [[nodiscard]] constexpr deadline no_later_than(std::uint32_t ticks) const noexcept
    {
        deadline sooner{*this};
        if (ticks != 0 && remaining() > ticks)
            sooner.at_ = Clock::now() + ticks;
        return sooner;
    }

private:
    std::uint32_t at_ = 0;
    bool runs_ = false;
};

}  // namespace rpmsg::policy
