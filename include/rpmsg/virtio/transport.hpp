#pragma once

#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/result.hpp>

#include <concepts>
#include <cstdint>

namespace rpmsg::virtio {

/// Where one vring is, as whoever placed it says. Input: to be checked by whoever uses it.
struct ring_place {
    std::uint64_t address = 0;  ///< As the device sees it. Meaningless while the ring is not placed.
    std::uint32_t num = 0;      ///< Descriptors.
    std::uint32_t align = 0;    ///< Of the used ring.
    std::uint32_t notify_id = 0;

    friend constexpr bool operator==(const ring_place&, const ring_place&) noexcept = default;
};

/// Carries status, features and ring places to the device.
///
/// `Barriers` is the board's coherence: what is read is invalidated first, what is written cleaned after.
///
/// @context As the bus; never blocks.
/// @spec virtio 1.2, 2.1 "Device Status Field"; virtio 1.2, 2.2 "Feature Bits"
template <typename T, typename Barriers>
concept device_transport = requires(T carrier, Barriers barriers, policy::vring_id which) {
    /// The status byte, read once.
    { carrier.status(barriers) } noexcept -> std::same_as<std::uint8_t>;
    /// Feature bits that the driver accepted. Meaningful after DRIVER_OK.
    { carrier.accepted(barriers) } noexcept -> std::same_as<std::uint32_t>;
    /// Where a ring is. Meaningful after DRIVER_OK.
    { carrier.ring(barriers, which) } noexcept -> std::same_as<ring_place>;
    /// What of a ring's place is looked at again at each poll, in whatever form is cheap to compare.
    { carrier.ring_mark(barriers, which) } noexcept -> std::equality_comparable;
    /// Tells the driver that only a reset helps.
    { carrier.ask_for_reset(barriers) } noexcept;
};

/// Carries status, features and ring places from the driver.
/// @spec virtio 1.2, 2.1; virtio 1.2, 2.2
template <typename T, typename Barriers>
concept driver_transport = requires(T carrier, Barriers barriers, policy::vring_id which,
                                    std::uint64_t address, std::uint32_t features, std::uint8_t status) {
    /// Whether a device is described there that we can drive, and why not.
    { carrier.check(barriers) } noexcept -> std::same_as<result<void>>;
    { carrier.status(barriers) } noexcept -> std::same_as<std::uint8_t>;
    { carrier.set_status(barriers, status) } noexcept;
    /// Feature bits that the device offers.
    { carrier.offered(barriers) } noexcept -> std::same_as<std::uint32_t>;
    { carrier.accept(barriers, features) } noexcept;
    { carrier.ring(barriers, which) } noexcept -> std::same_as<ring_place>;
    /// Whether a ring's address is given; if not, the driver chooses.
    { carrier.is_placed(barriers, which) } noexcept -> std::same_as<bool>;
    /// Says where a ring is that the device left to us.
    { carrier.place_ring(barriers, which, address) } noexcept;
};

}  // namespace rpmsg::virtio
