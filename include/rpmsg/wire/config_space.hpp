#pragma once

#include <rpmsg/result.hpp>
#include <rpmsg/wire/header.hpp>
#include <rpmsg/wire/little_endian.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace rpmsg::wire {

/// Bytes of a buffer in each direction, header included: 17 to 65535.
struct buffer_sizes {
    std::uint32_t to_driver = default_buffer_size;  ///< Of those that the device fills.
    std::uint32_t to_device = default_buffer_size;  ///< Of those that the driver fills.

    friend constexpr bool operator==(const buffer_sizes&, const buffer_sizes&) noexcept = default;
};

/// Whether a buffer of this many bytes has room for a header and a payload that a header can tell of.
[[nodiscard]] constexpr bool holds_messages(std::uint32_t buffer_size) noexcept
{
    return buffer_size > sizeof(header) && buffer_size <= longest_payload + sizeof(header);
}

/// The config space of a device that states its buffer sizes: 11 bytes, packed, so read and written one by one.
///
///     0   u8   version, 1
///     1   u16  bytes of all this, 11
///     3   u32  txbuf_size: of buffers to the driver
///     7   u32  rxbuf_size: of buffers to the device
///
/// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, struct virtio_rpmsg_config
class config_space {
public:
    /// No config space: zeros.
    constexpr config_space() noexcept = default;
    explicit constexpr config_space(const buffer_sizes& sizes) noexcept
    {
        bytes_[0] = version;
        put(1, 2, sizeof(config_space));
        put(3, 4, sizes.to_driver);
        put(7, 4, sizes.to_device);
    }

    /// The sizes, each byte read once.
    ///
    /// @return errc::malformed when this is of another version or length, or has no room for a message.
    [[nodiscard]] result<buffer_sizes> read_once() const noexcept
    {
        if (bytes_[0].read_once() != version || get(1, 2) != sizeof(config_space))
            return errc::malformed;
        const buffer_sizes sizes{.to_driver = get(3, 4), .to_device = get(7, 4)};
        if (!holds_messages(sizes.to_driver) || !holds_messages(sizes.to_device))
            return errc::malformed;
        return sizes;
    }

private:
    static constexpr std::uint8_t version = 1;

    constexpr void put(std::size_t at, std::size_t count, std::size_t value) noexcept
    {
        for (std::size_t i = 0; i != count; ++i)
            bytes_[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
    [[nodiscard]] std::uint32_t get(std::size_t at, std::size_t count) const noexcept
    {
        std::uint32_t value = 0;
        for (std::size_t i = count; i != 0; --i)
            value = value << 8U | bytes_[at + i - 1].read_once();
        return value;
    }

    std::array<little_endian<std::uint8_t>, 11> bytes_{};
};
static_assert(sizeof(config_space) == 11 && alignof(config_space) == 1);

}  // namespace rpmsg::wire
