#include <rpmsg/policy/doorbell.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <type_traits>
#include <vector>

using namespace rpmsg::policy;

namespace {

std::vector<vring_id> rung;
void note(vring_id which) noexcept { rung.push_back(which); }

struct with_id : doorbell_defaults {
    static constexpr bool carries_queue_id = true;
    void ring(vring_id, std::uint32_t) noexcept {}
};
struct with_id_unsaid : doorbell_defaults {
    void ring(vring_id, std::uint32_t) noexcept {}
};
struct throwing : doorbell_defaults {
    void ring(vring_id) {}
};
struct answering : doorbell_defaults {
    bool ring(vring_id) noexcept { return true; }
};
struct without_capabilities {
    void ring(vring_id) noexcept {}
};

static_assert(doorbell<no_doorbell> && doorbell<callback_doorbell<note>> && doorbell<with_id>);
static_assert(!doorbell<with_id_unsaid> && !doorbell<throwing> && !doorbell<answering>);
static_assert(!doorbell<without_capabilities> && !doorbell<int>);

static_assert(std::is_empty_v<no_doorbell> && std::is_empty_v<callback_doorbell<note>>);
static_assert(static_cast<int>(vring_id::to_driver) == 0 && static_cast<int>(vring_id::to_device) == 1);

constinit no_doorbell made_before_main;

}  // namespace

TEST_CASE("a doorbell is plain unless it says otherwise", "[policy]")
{
    using plain = callback_doorbell<note>;
    CHECK_FALSE(plain::carries_queue_id);
    CHECK_FALSE(plain::can_be_lost);
    CHECK_FALSE(plain::may_block);
    CHECK(plain::isr_safe);
    CHECK_FALSE(plain::always_ring);
    CHECK_FALSE(plain::never_ring);
    CHECK(plain::word_bits == 0);
    CHECK_FALSE(plain::is_level);
    CHECK_FALSE(plain::needs_ack);
    CHECK_FALSE(plain::per_queue_channel);
    CHECK(plain::coalesces);
}

TEST_CASE("a peer that polls is never rung", "[policy]")
{
    CHECK(no_doorbell::never_ring);
    made_before_main.ring(vring_id::to_driver);
}

// @spec virtio 1.2, 2.3; Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_probe()
TEST_CASE("a callback doorbell calls its function with the vring", "[policy]")
{
    rung.clear();
    callback_doorbell<note> bell;
    bell.ring(vring_id::to_device);
    bell.ring(vring_id::to_driver);
    CHECK(rung == std::vector{vring_id::to_device, vring_id::to_driver});
}
