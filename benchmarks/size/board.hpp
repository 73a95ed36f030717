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

// Unnamed, as in a firmware of one source: the compiler then knows that nobody else has such a bus.
namespace {

struct board : rpmsg::policy::board_defaults {
    /// A mailbox register: one store wakes the peer, which is cheaper than asking whether it sleeps.
    struct doorbell : rpmsg::policy::doorbell_defaults {
        static constexpr bool always_ring = true;
        void ring(rpmsg::policy::vring_id /*which*/) noexcept { doorbell_register = 1; }
    };
    using address_map = rpmsg::policy::identity<0x2001'0000, 0x1'0000>;
    static constexpr rpmsg::virtio::resource_table_at<resource_table> resources{};
    /// As the table says; stated here too, so that the compiler knows where everything lies.
    using ring = rpmsg::policy::ring_of<16, 16>;
    // One endpoint that never closes, and nobody who observes.
    static constexpr std::size_t address_slots = 1;
    static constexpr std::size_t withdrawals = 0;
    static constexpr bool observers = false;
};

/// An endpoint that sends back whatever comes.
constexpr auto echo_back = [](rpmsg::message in) { return in.payload(); };

}  // namespace
