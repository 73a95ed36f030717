#pragma once

#include "inspect_report.hpp"

namespace tool::inspection {

/// How both ends use a ring.
struct ring_use {
    rpmsg::policy::ring_alignment rule = rpmsg::policy::ring_alignment::virtio;
    bool prefilled = false;  ///< vring1 only: the driver filled the used ring before it started.
    bool event_idx = false;
    bool is_live = true;  ///< The driver says that it has made the rings.
};

/// Reads one ring, works out who has each descriptor, and names what breaks the spec.
[[nodiscard]] ring_report read_ring(const picture& memory, std::uint32_t which,
                                    const rpmsg::virtio::ring_place& place, const ring_use& use, report& out);

/// Names buffers of the device's that overlap each other, a ring or the table.
void check_buffers(const picture& memory, report& out);

/// "vring 0".
[[nodiscard]] inline std::string ring_name(std::uint32_t which) { return fmt::format("vring {}", which); }

}  // namespace tool::inspection
