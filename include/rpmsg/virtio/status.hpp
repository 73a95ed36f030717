#pragma once

#include <cstdint>

/// Device status and the ways of carrying it: who says "ready", and where the rings are.
namespace rpmsg::virtio {

/// The two ends of a virtio link.
enum class role : std::uint8_t {
    driver,  ///< Owns all buffers and decides when the link starts: usually Linux.
    device,  ///< Offers features and waits for DRIVER_OK: usually firmware.
};

/// Bits of the device status byte; 0 is "reset".
///
/// @spec virtio 1.2, 2.1 "Device Status Field"
namespace status {
inline constexpr std::uint8_t reset = 0;
inline constexpr std::uint8_t acknowledge = 1;
inline constexpr std::uint8_t driver = 2;
inline constexpr std::uint8_t driver_ok = 4;
inline constexpr std::uint8_t features_ok = 8;
inline constexpr std::uint8_t needs_reset = 0x40;  ///< Set by a device that cannot go on.
inline constexpr std::uint8_t failed = 0x80;
}  // namespace status

}  // namespace rpmsg::virtio
