#pragma once

/// @file
/// The port that all images share: what a board has to state, and nothing else.

#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

/// In the linker script, outside of what is measured: the table, the vrings and the buffers.
extern "C" {
extern rpmsg::wire::rpmsg_table resource_table;
extern volatile std::uint32_t doorbell_register;
extern std::byte buffers[];  // NOLINT(modernize-avoid-c-arrays): an address of the linker's
}

struct board : rpmsg::policy::board_defaults {
    /// A mailbox register: one store wakes the peer.
    struct doorbell : rpmsg::policy::doorbell_defaults {
        void ring(rpmsg::policy::vring_id /*which*/) noexcept { doorbell_register = 1; }
    };
    using address_map = rpmsg::policy::identity<0x2001'0000, 0x1'0000>;
    static constexpr rpmsg::virtio::resource_table_at<resource_table> resources{};
};

/// An endpoint that sends back whatever comes.
inline constexpr auto echo_back = [](rpmsg::message in) { return in.payload(); };
