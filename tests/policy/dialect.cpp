#include <rpmsg/policy/dialect.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <type_traits>

using namespace rpmsg::policy;

namespace {

struct half_said {
    static constexpr std::uint32_t features = 0;
};
static_assert(dialect<linux_kernel> && dialect<openamp> && dialect<rpmsg_lite> &&
              dialect<zephyr_static_vrings>);
static_assert(dialect<with_event_idx<linux_kernel>> && !dialect<half_said> && !dialect<int>);
static_assert(std::is_empty_v<rpmsg_lite>);

static_assert(feature::name_service == 1, "VIRTIO_RPMSG_F_NS is bit 0");
static_assert(feature::event_idx == 0x2000'0000, "VIRTIO_F_EVENT_IDX is bit 29");

}  // namespace

// @spec virtio 1.2, 6; Linux drivers/rpmsg/virtio_rpmsg_bus.c, VIRTIO_RPMSG_F_NS
// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, RPMSG_RESERVED_ADDRESSES
TEST_CASE("Linux is offered the name service and nothing else", "[policy]")
{
    CHECK(linux_kernel::features == feature::name_service);
    CHECK(linux_kernel::alignment == ring_alignment::virtio);
    CHECK(linux_kernel::first_dynamic_address == 1024);
    CHECK(linux_kernel::obeys_suppression);
    CHECK_FALSE(linux_kernel::prefills_used_ring);
    CHECK(linux_kernel::rings_returned_buffers);
    CHECK_FALSE(linux_kernel::greets_when_bound);
}

// @spec virtio 1.2, 6; OpenAMP lib/include/openamp/rpmsg.h, RPMSG_RESERVED_ADDRESSES
TEST_CASE("OpenAMP is never offered event indices", "[policy]")
{
    CHECK(openamp::features == feature::name_service);
    CHECK(openamp::alignment == ring_alignment::virtio);
    CHECK(openamp::first_dynamic_address == 1024);
    CHECK(openamp::rings_returned_buffers);
}

// @spec rpmsg-lite lib/rpmsg_lite/rpmsg_lite.c, rpmsg_lite_master_init()
TEST_CASE("rpmsg-lite has its own ring layout, addresses and silences", "[policy]")
{
    CHECK(rpmsg_lite::features == feature::name_service);
    CHECK(rpmsg_lite::alignment == ring_alignment::rpmsg_lite);
    CHECK(rpmsg_lite::first_dynamic_address == 1);
    CHECK_FALSE(rpmsg_lite::obeys_suppression);
    CHECK(rpmsg_lite::prefills_used_ring);
    CHECK_FALSE(rpmsg_lite::rings_returned_buffers);
    CHECK_FALSE(rpmsg_lite::greets_when_bound);
}

// @spec Zephyr subsys/ipc/ipc_service/backends/ipc_rpmsg_static_vrings.c, bound_cb()
TEST_CASE("Zephyr's static vrings return buffers silently and are bound by a greeting", "[policy]")
{
    CHECK(zephyr_static_vrings::features == feature::name_service);
    CHECK(zephyr_static_vrings::alignment == ring_alignment::virtio);
    CHECK_FALSE(zephyr_static_vrings::rings_returned_buffers);
    CHECK(zephyr_static_vrings::greets_when_bound);
    CHECK(zephyr_static_vrings::obeys_suppression);
}

// @spec virtio 1.2, 6
TEST_CASE("event indices are opted into by name, and change nothing else", "[policy]")
{
    using opted_in = with_event_idx<linux_kernel>;
    CHECK(opted_in::features == (feature::name_service | feature::event_idx));
    CHECK(opted_in::first_dynamic_address == linux_kernel::first_dynamic_address);
    CHECK(opted_in::alignment == linux_kernel::alignment);
    CHECK(with_event_idx<opted_in>::features == opted_in::features);
}
