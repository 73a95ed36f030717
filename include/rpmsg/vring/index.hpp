#pragma once

#include <cstdint>

namespace rpmsg::vring {

/// A position in a ring's history: counts entries ever published and wraps at 2^16.
///
/// There is no "less than" between two positions, only how far one is ahead of the other.
///
/// @spec virtio 1.2, 2.7.6 "The Virtqueue Available Ring"; virtio 1.2, 2.7.8 "The Virtqueue Used Ring"
class index {
public:
    constexpr index() noexcept = default;
    explicit constexpr index(std::uint16_t value) noexcept : value_{value} {}

    /// As it stands in shared memory.
    [[nodiscard]] constexpr std::uint16_t value() const noexcept { return value_; }

    /// The ring entry it falls on. @param count  Entries of the ring, a power of two.
    [[nodiscard]] constexpr std::uint16_t slot(std::uint16_t count) const noexcept
    {
        return static_cast<std::uint16_t>(value_ & (count - 1U));
    }

    constexpr index& operator++() noexcept
    {
        ++value_;
        return *this;
    }

    [[nodiscard]] friend constexpr bool operator==(index, index) noexcept = default;

private:
    std::uint16_t value_ = 0;
};

/// Entries from `from` up to `to`, 0 to 65535.
[[nodiscard]] constexpr std::uint16_t distance(index from, index to) noexcept
{
    return static_cast<std::uint16_t>(to.value() - from.value());
}

/// Whether publishing the entries from `before` up to `now` passes the entry `event` that the other
/// side wants to hear of.
///
/// @spec virtio 1.2, 2.7.7 "Used Buffer Notification Suppression"
/// @spec virtio 1.2, 2.7.10 "Available Buffer Notification Suppression"
/// @spec Linux include/uapi/linux/virtio_ring.h, vring_need_event()
[[nodiscard]] constexpr bool passes_event(index event, index before, index now) noexcept
{
    return static_cast<std::uint16_t>(now.value() - event.value() - 1U) < distance(before, now);
}

}  // namespace rpmsg::vring
