#pragma once

#include <rpmsg/wire/config_space.hpp>
#include <rpmsg/wire/header.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace rpmsg {

/// The memory from which a driver makes its buffers: one piece, or one for each direction.
///
/// Each ring gets as many buffers as it has descriptors and the memory has room for; at least one each,
/// or the link does not come up (errc::out_of_memory). All of it must lie in the board's address map.
/// Sizes include the header of 16 bytes; where memory is cached, make them a multiple of the line and
/// align the memory to it. A device that states its buffer sizes (policy::with_buffer_sizes) decides them:
/// those here are for one that does not.
struct buffer_pool {
    std::span<std::byte> to_driver{};  ///< Buffers that the device fills; 4-byte aligned.
    std::span<std::byte> to_device{};  ///< Buffers that we fill. Empty: what to_driver's ring leaves over.
    std::uint32_t to_driver_size = wire::default_buffer_size;  ///< Bytes of each: 17 to 65535.
    std::uint32_t to_device_size = wire::default_buffer_size;  ///< Bytes of each: 17 to 65535.
    std::span<std::byte> rings{};  ///< For rings whose place the table leaves to us; else unused.

    /// Of a buffer in each direction.
    [[nodiscard]] constexpr wire::buffer_sizes sizes() const noexcept
    {
        return {to_driver_size, to_device_size};
    }
};

}  // namespace rpmsg
