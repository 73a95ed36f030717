#pragma once

#include <rpmsg/wire/header.hpp>

#include <chrono>
#include <cstdint>

namespace rpmsg::platform {

/// Which remote processor a char_bus talks to, and what it cannot find out by itself.
struct char_place {
    /// A part of its path in /sys/devices, such as "remoteproc0", "virtio1" or "rpmsg_ctrl0"; nullptr: the one
    /// with the lowest number, and the same one again after a restart. Lives as long as the bus.
    const char* on = nullptr;
    /// Bytes of the longest payload: Linux does not tell, but refuses what is longer, and then this shrinks.
    std::uint16_t longest = wire::default_buffer_size - sizeof(wire::header);
    /// How often it looks for what is not there: the control device, channels, nodes.
    std::chrono::microseconds rescan{100'000};
    /// How often it tries again to send, on kernels that do not say when there is room, and to open a node
    /// that udev has not made yet.
    std::chrono::microseconds retry{1'000};
    /// Before /dev and /sys: for tests.
    const char* root = "";
};

}  // namespace rpmsg::platform
