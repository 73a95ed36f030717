#pragma once

#include <concepts>
#include <cstdint>

namespace rpmsg::policy {

/// The two vrings, by the direction of their messages.
///
/// @spec virtio 1.2, 2.3 "Notifications"; Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_probe()
enum class vring_id : std::uint8_t {
    to_driver = 0,  ///< Device to driver: the driver's receive ring.
    to_device = 1,  ///< Driver to device: the driver's transmit ring.
};

/// What kind of doorbell a model is. A model states what differs from these.
struct doorbell_defaults {
    /// ring() takes the notify id of the resource table as well: `ring(vring_id, std::uint32_t)`.
    static constexpr bool carries_queue_id = false;
    /// One ring() may wake nobody, so a wait also looks by itself, at the period the board names.
    static constexpr bool can_be_lost = false;
    /// ring() may wait for the hardware, for a bounded time.
    static constexpr bool may_block = false;
    /// ring() may be called from an interrupt.
    static constexpr bool isr_safe = true;
    /// Ringing costs less than a full barrier and a look at what the peer wishes: it is never asked.
    static constexpr bool always_ring = false;
    /// The peer polls: nothing is ever rung, and nothing asked.
    static constexpr bool never_ring = false;

    // What follows is for who writes the peer's handler, or compares models; the bus makes nothing of it.

    /// Bits of the word that the signal brings along; 0: it brings none.
    static constexpr unsigned word_bits = 0;
    /// It stays until it is acknowledged, so one that rings while the peer's interrupt is masked is kept.
    static constexpr bool is_level = false;
    /// The peer has to take it back, in its handler and before it looks at the rings.
    static constexpr bool needs_ack = false;
    /// Each ring has a signal of its own, so the peer knows which without a word.
    static constexpr bool per_queue_channel = false;
    /// Two that the peer has not heard yet become one.
    static constexpr bool coalesces = true;
};

/// Wakes the peer after a vring changed.
///
/// Rings carry the news; a doorbell only says "look". It may be spurious or merged with another, and
/// any doorbell may mean either vring. The vring has published its stores before it calls ring(), so
/// a model adds only the ordering that its own registers need. A model derives from doorbell_defaults.
///
/// @context ring(): thread or ISR, wherever the bus is used; must not re-enter the bus. When `exclusion`
///          lets several contexts call, so must the model.
/// @spec    virtio 1.2, 2.3
template <typename T>
concept doorbell = requires {
    { T::carries_queue_id } -> std::convertible_to<bool>;
    { T::can_be_lost } -> std::convertible_to<bool>;
    { T::may_block } -> std::convertible_to<bool>;
    { T::isr_safe } -> std::convertible_to<bool>;
    { T::always_ring } -> std::convertible_to<bool>;
    { T::never_ring } -> std::convertible_to<bool>;
} && (requires(T bell, vring_id which) {
    { bell.ring(which) } noexcept -> std::same_as<void>;
} || requires(T bell, vring_id which, std::uint32_t notify_id) {
    requires T::carries_queue_id;
    { bell.ring(which, notify_id) } noexcept -> std::same_as<void>;
});

/// The peer polls, so nobody needs waking.
struct no_doorbell : doorbell_defaults {
    static constexpr bool never_ring = true;
    constexpr void ring(vring_id /*which*/) noexcept {}
};
static_assert(doorbell<no_doorbell>);

/// Calls a function: for a register that one line of the board writes, and for tests.
template <void (*Function)(vring_id) noexcept>
struct callback_doorbell : doorbell_defaults {
    void ring(vring_id which) noexcept { Function(which); }
};

}  // namespace rpmsg::policy
