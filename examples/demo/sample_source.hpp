#pragma once

#include "channels.hpp"

#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace demo {

/// What the gyroscope measures on an axis: a wave that takes 4096 samples, on each axis later by a sixth.
inline std::int16_t reading(std::uint32_t number, std::size_t axis) noexcept
{
    // A parabola for each half is near enough to a sine.
    const std::uint32_t phase = (number + static_cast<std::uint32_t>(axis) * 683U) % 4096U;
    const auto x = static_cast<std::int32_t>(phase % 2048U) - 1024;
    const std::int32_t height = 32000 - 32000 * (x * x / 1024) / 1024;
    return static_cast<std::int16_t>(phase < 2048 ? height : -height);
}

/// Sends samples as long as some are wanted and there is room.
class sample_source {
public:
    /// @param now  Nanoseconds since some point that the driver knows, too. None: samples do not say when they
    ///             were made.
    explicit constexpr sample_source(std::uint64_t (*now)() noexcept = nullptr) noexcept : now_{now} {}

    void add(std::uint32_t samples) noexcept { wanted_ += samples; }

    /// Sends until the peer's buffers are full; the bus then wakes us when one is back.
    template <typename Bus, typename Telemetry>
    void send_some(Bus& bus, Telemetry& telemetry) noexcept
    {
        const rpmsg::batch together{bus};
        while (wanted_ != 0) {
            auto slot = telemetry.try_acquire();
            if (!slot)
                return;
            // Written where the driver is going to read it.
            slot->made_at = now_ != nullptr ? now_() : 0;
            slot->number = next_;
            for (std::size_t i = 0; i != slot->axis.size(); ++i)
                slot->axis[i] = reading(next_, i);
            if (!std::move(slot).send())
                return;
            ++next_;
            --wanted_;
        }
    }

private:
    std::uint64_t (*now_)() noexcept;
    std::uint32_t wanted_ = 0;
    std::uint32_t next_ = 0;
};

}  // namespace demo
