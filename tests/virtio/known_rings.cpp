#include <rpmsg/virtio/known_rings.hpp>

#include <rpmsg/policy/coherence.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <type_traits>

using namespace rpmsg::virtio;
using rpmsg::policy::vring_id;

namespace {

constexpr ring_places places{.to_driver = {.address = 0x1000, .num = 8, .align = 4, .notify_id = 5},
                             .to_device = {.address = 0x2000, .num = 16, .align = 64, .notify_id = 6},
                             .features = 0x2000'0001};

struct rings : known_rings {
    using known_rings::known_rings;
    explicit constexpr rings(const ring_places& where) noexcept : known_rings{where} {}
};
static_assert(sizeof(rings) == sizeof(void*), "the places themselves are constants of the program");
static_assert(!std::is_constructible_v<known_rings, const ring_places&>, "half a transport is none");

}  // namespace

TEST_CASE("known rings are where both sides were told, with the features that both take for granted",
          "[virtio]")
{
    rpmsg::policy::single_core barriers;
    rings known{places};
    CHECK(known.ring(barriers, vring_id::to_driver) == places.to_driver);
    CHECK(known.ring(barriers, vring_id::to_device) == places.to_device);
    CHECK(known.offered(barriers) == 0x2000'0001);
    CHECK(known.accepted(barriers) == 0x2000'0001);

    SECTION("and nobody moves them, or takes features away")
    {
        const auto before = known.ring_mark(barriers, vring_id::to_device);
        known.place_ring(barriers, vring_id::to_device, 0x9000);
        known.accept(barriers, 0);
        CHECK(known.ring(barriers, vring_id::to_device) == places.to_device);
        CHECK(known.ring_mark(barriers, vring_id::to_device) == before);
        CHECK(known.accepted(barriers) == 0x2000'0001);
    }
}

TEST_CASE("the name service is taken for granted where nothing is said", "[virtio]")
{
    CHECK(ring_places{}.features == 1);
}

// @spec rpmsg-lite lib/include/platform/*/rpmsg_platform.h, VRING_SIZE
// @spec rpmsg-lite lib/include/platform/*/rpmsg_platform.h, RL_GET_VQ_ID
TEST_CASE("rpmsg-lite's rings lie one distance apart and have two doorbells a link", "[virtio]")
{
    constexpr auto lite = rpmsg_lite_places(0x3ED0'0000, 8, 4, 232);
    CHECK(lite.to_driver == ring_place{.address = 0x3ED0'0000, .num = 8, .align = 4, .notify_id = 0});
    CHECK(lite.to_device == ring_place{.address = 0x3ED0'00E8, .num = 8, .align = 4, .notify_id = 1});
    CHECK(lite.features == 1);

    constexpr auto third = rpmsg_lite_places(0, 256, 0x1000, 0x8000, 3);
    CHECK(third.to_driver.notify_id == 6);
    CHECK(third.to_device.notify_id == 7);
    CHECK(third.to_device.address == 0x8000);
}
