#pragma once

#include <rpmsg/wire/little_endian.hpp>

#include <cstddef>
#include <cstdint>

namespace rpmsg::wire {

/// One buffer of a vring. Written by the driver only.
///
/// @spec virtio 1.2, 2.7.5 "The Virtqueue Descriptor Table"
struct descriptor {
    le64 addr;   ///< Where the buffer is, as the device sees it.
    le32 len;    ///< Bytes.
    le16 flags;  ///< descriptor_write and its kind.
    le16 next;   ///< Means nothing: a message is one descriptor.
};
static_assert(sizeof(descriptor) == 16 && alignof(descriptor) == 4);

inline constexpr std::uint16_t descriptor_next = 1;      ///< The chain goes on: never in RPMsg.
inline constexpr std::uint16_t descriptor_write = 2;     ///< The device may write the buffer.
inline constexpr std::uint16_t descriptor_indirect = 4;  ///< The buffer is a table: never in RPMsg.

/// The head of an avail ring; `num` ring entries and used_event follow. Written by the driver only.
///
/// @spec virtio 1.2, 2.7.6 "The Virtqueue Available Ring"
struct avail {
    le16 flags;  ///< avail_no_interrupt.
    le16 idx;    ///< Entries ever published, modulo 2^16.
};
static_assert(sizeof(avail) == 4);

inline constexpr std::uint16_t avail_no_interrupt = 1;  ///< The driver wants no doorbell for used buffers.

/// One entry of a used ring.
/// @spec virtio 1.2, 2.7.8 "The Virtqueue Used Ring"
struct used_element {
    le32 id;   ///< The descriptor that comes back.
    le32 len;  ///< Bytes written into it.
};
static_assert(sizeof(used_element) == 8);

/// The head of a used ring; `num` used_elements and avail_event follow. Written by the device only.
///
/// @spec virtio 1.2, 2.7.8
struct used {
    le16 flags;  ///< used_no_notify.
    le16 idx;    ///< Entries ever published, modulo 2^16.
};
static_assert(sizeof(used) == 4);

inline constexpr std::uint16_t used_no_notify = 1;  ///< The device wants no doorbell for available buffers.

}  // namespace rpmsg::wire
