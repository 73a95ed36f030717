#pragma once

#include <rpmsg/wire/little_endian.hpp>

#include <cstddef>
#include <cstdint>

namespace rpmsg::wire {

/// What precedes the payload of every message.
///
/// `reserved` and `flags` are 0 when we write and never looked at when we read: OpenAMP keeps its own
/// state in `reserved`, rpmsg-lite leaves whatever was there.
///
/// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, struct rpmsg_hdr
/// @spec OpenAMP lib/rpmsg/rpmsg_internal.h, struct rpmsg_hdr
struct header {
    le32 src;       ///< The sender's endpoint.
    le32 dst;       ///< The receiver's endpoint.
    le32 reserved;  ///< 0.
    le16 len;       ///< Bytes of payload, without this header.
    le16 flags;     ///< 0.
};

static_assert(sizeof(header) == 16);
static_assert(offsetof(header, src) == 0 && offsetof(header, dst) == 4 && offsetof(header, reserved) == 8);
static_assert(offsetof(header, len) == 12 && offsetof(header, flags) == 14);

/// The longest payload that `len` can state while header and payload fit 65535 bytes.
inline constexpr std::uint32_t longest_payload = 65535 - sizeof(header);

/// Bytes of a buffer unless both sides agreed on another size, header included.
/// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, MAX_RPMSG_BUF_SIZE
inline constexpr std::uint32_t default_buffer_size = 512;

/// "Nobody", or "allocate one for me".
/// @spec Linux include/uapi/linux/rpmsg.h, RPMSG_ADDR_ANY
/// @spec OpenAMP lib/include/openamp/rpmsg.h, RPMSG_ADDR_ANY
inline constexpr std::uint32_t any_address = 0xFFFF'FFFF;
/// Where announcements go.
/// @spec Linux include/linux/rpmsg/ns.h, RPMSG_NS_ADDR
/// @spec OpenAMP lib/include/openamp/rpmsg.h, RPMSG_NS_EPT_ADDR
inline constexpr std::uint32_t name_service_address = 53;

}  // namespace rpmsg::wire
