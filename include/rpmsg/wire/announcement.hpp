#pragma once

#include <rpmsg/wire/little_endian.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace rpmsg::wire {

/// Bytes of a name on the wire, its terminator included.
/// @spec Linux include/linux/mod_devicetable.h, RPMSG_NAME_SIZE
/// @spec OpenAMP lib/include/openamp/rpmsg.h, RPMSG_NAME_SIZE
inline constexpr std::size_t name_size = 32;

/// The payload of a message to the name service: a channel came or went.
///
/// @spec Linux include/linux/rpmsg/ns.h, struct rpmsg_ns_msg
/// @spec OpenAMP lib/rpmsg/rpmsg_internal.h, struct rpmsg_ns_msg
struct announcement {
    std::array<char, name_size> name;  ///< Zero-padded when we write; perhaps unterminated when we read.
    le32 addr;                         ///< The endpoint that came or went.
    le32 flags;                        ///< Bit 0 says which; the others are ignored.
};

static_assert(sizeof(announcement) == 40);
static_assert(offsetof(announcement, addr) == 32 && offsetof(announcement, flags) == 36);

/// Bit 0 of `flags`: clear when the channel came, set when it went.
/// @spec Linux include/linux/rpmsg/ns.h, enum rpmsg_ns_flags
/// @spec OpenAMP lib/rpmsg/rpmsg_internal.h, enum rpmsg_ns_flags
inline constexpr std::uint32_t announcement_went = 1;

}  // namespace rpmsg::wire
