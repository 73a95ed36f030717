#pragma once

#include <concepts>
#include <cstdint>

namespace rpmsg::policy {

/// How a vring's used part is aligned behind its avail part.
/// @spec virtio 1.2, 2.7.2 "Legacy Interfaces: A Note on Virtqueue Layout"
/// @spec rpmsg-lite lib/include/virtio_ring.h, vring_init()
enum class ring_alignment : std::uint8_t {
    virtio,      ///< used_event counts before rounding up; avail_event follows the used ring.
    rpmsg_lite,  ///< used_event does not count, and avail_event has no room. Differs below 16 bytes.
};

/// Feature bits that a dialect may offer or accept.
///
/// @spec virtio 1.2, 6 "Reserved Feature Bits"; Linux drivers/rpmsg/virtio_rpmsg_bus.c, VIRTIO_RPMSG_F_NS
namespace feature {
inline constexpr std::uint32_t name_service = 1U << 0U;  ///< VIRTIO_RPMSG_F_NS.
inline constexpr std::uint32_t buffer_sizes = 1U << 1U;  ///< VIRTIO_RPMSG_F_BUFSZ: wire::config_space.
inline constexpr std::uint32_t event_idx = 1U << 29U;    ///< VIRTIO_F_EVENT_IDX.
}  // namespace feature

/// The quirks of one kind of peer, as constants. Sources: docs/concepts.md "Dialects".
///
/// - `features`: what is offered or accepted, and nothing else.
/// - `alignment`: the ring layout.
/// - `first_dynamic_address`: where addresses that we choose begin.
/// - `obeys_suppression`: false: its "no doorbell, please" is not meant so; ring all the same.
/// - `prefills_used_ring`: as driver it puts all buffers into vring1's used ring before it starts.
/// - `rings_returned_buffers`: false: it returns buffers silently, so a waiter also looks by itself.
/// - `greets_when_bound`: whoever hears an announcement answers with an empty message.
template <typename T>
concept dialect = requires {
    { T::features } -> std::convertible_to<std::uint32_t>;
    { T::alignment } -> std::convertible_to<ring_alignment>;
    { T::first_dynamic_address } -> std::convertible_to<std::uint32_t>;
    { T::obeys_suppression } -> std::convertible_to<bool>;
    { T::prefills_used_ring } -> std::convertible_to<bool>;
    { T::rings_returned_buffers } -> std::convertible_to<bool>;
    { T::greets_when_bound } -> std::convertible_to<bool>;
};

/// The Linux kernel, and everybody who keeps to the specification.
/// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, RPMSG_RESERVED_ADDRESSES
struct linux_kernel {
    static constexpr std::uint32_t features = feature::name_service;
    static constexpr auto alignment = ring_alignment::virtio;
    static constexpr std::uint32_t first_dynamic_address = 1024;
    static constexpr bool obeys_suppression = true;
    static constexpr bool prefills_used_ring = false;
    static constexpr bool rings_returned_buffers = true;
    static constexpr bool greets_when_bound = false;
};
static_assert(dialect<linux_kernel>);

/// OpenAMP: as the specification, but it must never be offered EVENT_IDX.
/// @spec OpenAMP lib/include/openamp/rpmsg.h, RPMSG_RESERVED_ADDRESSES
struct openamp : linux_kernel {};
static_assert(dialect<openamp>);

/// rpmsg-lite: addresses from 1, doorbells that forbid themselves, silent returns.
/// @spec rpmsg-lite lib/rpmsg_lite/rpmsg_lite.c, rpmsg_lite_master_init()
struct rpmsg_lite : linux_kernel {
    static constexpr auto alignment = ring_alignment::rpmsg_lite;
    static constexpr std::uint32_t first_dynamic_address = 1;
    static constexpr bool obeys_suppression = false;
    static constexpr bool prefills_used_ring = true;
    static constexpr bool rings_returned_buffers = false;
};
static_assert(dialect<rpmsg_lite>);

/// Zephyr's ipc_service with static vrings: one doorbell without an id, bound by an empty message. From what
/// is written of it, not from recordings.
/// @spec Zephyr subsys/ipc/ipc_service/backends/ipc_rpmsg_static_vrings.c, bound_cb()
struct zephyr_static_vrings : openamp {
    static constexpr bool rings_returned_buffers = false;
    static constexpr bool greets_when_bound = true;
};
static_assert(dialect<zephyr_static_vrings>);

/// A dialect that offers EVENT_IDX as well: fewer doorbells with a peer that has it right.
///
/// Refused for OpenAMP and rpmsg-lite, which have it wrong.
template <dialect Base>
struct with_event_idx : Base {
    static_assert(!std::derived_from<Base, openamp> && !std::derived_from<Base, rpmsg_lite>,
                  "OpenAMP and rpmsg-lite do not keep event indices: EVENT_IDX must not be offered to them");
    static constexpr std::uint32_t features = Base::features | feature::event_idx;
};
static_assert(dialect<with_event_idx<linux_kernel>>);

/// A dialect in which the device states the buffer sizes of both directions, in wire::config_space.
///
/// A driver that does not take the feature makes its buffers as it likes (Linux: of 512 bytes), and ours
/// those of its buffer_pool when the device does not offer it. For Linux from 7.1 on. Refused where there is no
/// config space; not for NuttX, which means something else by the same bit.
template <dialect Base>
struct with_buffer_sizes : Base {
    static_assert(
        !std::derived_from<Base, rpmsg_lite> && !std::derived_from<Base, zephyr_static_vrings>,
        "rpmsg-lite and Zephyr's static vrings have no config space: buffer sizes cannot be negotiated");
    static constexpr std::uint32_t features = Base::features | feature::buffer_sizes;
};
static_assert(dialect<with_buffer_sizes<linux_kernel>>);

}  // namespace rpmsg::policy
