#include <rpmsg/virtio/transport.hpp>

#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/testing/recording_coherence.hpp>
#include <rpmsg/virtio/resource_table.hpp>

#include "support/catch.hpp"

#include <cstdint>

using namespace rpmsg::virtio;
using rpmsg::result;
using rpmsg::policy::vring_id;

namespace {

/// The least that a device needs: rings whose places both sides were compiled with.
struct fixed_rings {
    std::uint8_t& shared;
    template <typename Barriers>
    std::uint8_t status(Barriers& /*barriers*/) const noexcept
    {
        return shared;
    }
    template <typename Barriers>
    std::uint32_t accepted(Barriers& /*barriers*/) const noexcept
    {
        return 1;
    }
    template <typename Barriers>
    ring_place ring(Barriers& /*barriers*/, vring_id which) const noexcept
    {
        return {which == vring_id::to_driver ? 0x1000U : 0x2000U, 16, 4, 0};
    }
    template <typename Barriers>
    bool ring_mark(Barriers& /*barriers*/, vring_id /*which*/) const noexcept
    {
        return true;
    }
    template <typename Barriers>
    void ask_for_reset(Barriers& /*barriers*/) noexcept
    {
        shared |= 0x40;
    }
};
static_assert(device_transport<fixed_rings, rpmsg::policy::smp>);
static_assert(!driver_transport<fixed_rings, rpmsg::policy::smp>, "a driver also writes");

struct without_mark : fixed_rings {
    void ring_mark() = delete;
};
static_assert(!device_transport<without_mark, rpmsg::policy::smp>, "a device that cannot tell a restart");

static_assert(device_transport<resource_table, rpmsg::policy::smp> &&
              driver_transport<resource_table, rpmsg::policy::smp>);
static_assert(device_transport<resource_table, rpmsg::testing::recording_coherence> &&
              driver_transport<resource_table, rpmsg::testing::recording_coherence>);
// To find the table, and to know how far it may be read.
static_assert(sizeof(resource_table) == 2 * sizeof(void*));

static_assert(ring_place{} == ring_place{0, 0, 0, 0});
static_assert(ring_place{1, 2, 3, 4} != ring_place{1, 2, 3, 5} &&
              ring_place{1, 2, 3, 4} != ring_place{0, 2, 3, 4});

}  // namespace

TEST_CASE("a transport may be no more than a status byte", "[virtio]")
{
    std::uint8_t shared = 7;
    fixed_rings rings{shared};
    rpmsg::policy::smp barriers;
    CHECK(rings.status(barriers) == 7);
    rings.ask_for_reset(barriers);
    CHECK(rings.status(barriers) == 0x47);
    CHECK(rings.ring(barriers, vring_id::to_device).address == 0x2000);
}
