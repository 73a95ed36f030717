// What policy::with_buffer_sizes makes of a bus: sizes that the device states, in both roles.

#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/virtio/resource_table.hpp>
#include <rpmsg/wire/config_space.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using policy::vring_id;

namespace {

struct plain : loopback_board {};
struct sized : loopback_board {
    using dialect = policy::with_buffer_sizes<policy::linux_kernel>;
};
struct with_events : loopback_board {
    using dialect = policy::with_event_idx<policy::with_buffer_sizes<policy::linux_kernel>>;
};
static_assert(sized::dialect::features == 3 && with_events::dialect::features == 0x2000'0003);
static_assert(policy::with_buffer_sizes<policy::openamp>::features == 3);

/// A driver that has memory for everything, but would make buffers of 512 bytes.
template <typename Link>
struct driver_of_512 {
    explicit driver_of_512(Link& shared)
        : link{shared},
          pool{[&] {
              auto given = shared.pool();
              given.to_driver_size = given.to_device_size = wire::default_buffer_size;
              return given;
          }()}
    {
        link.driver().stop();
    }
    void run()
    {
        for (int i = 0; i != 4; ++i) {
            bus.poll();
            link.device().poll();
        }
    }

    Link& link;
    buffer_pool pool;
    typename Link::driver_type bus{link.resources(), pool, link.driver_models()};
};

}  // namespace

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, struct virtio_rpmsg_config; virtio 1.2, 2.5
TEMPLATE_TEST_CASE("a driver that takes them makes its buffers of the sizes that the device states",
                   "[bus][openamp-1.9]", sized, with_events)
{
    const auto sizes =
        GENERATE(wire::buffer_sizes{64, 1024}, wire::buffer_sizes{65535, 17}, wire::buffer_sizes{17, 65535});
    loopback<TestType> link{{.to_driver_size = sizes.to_driver, .to_device_size = sizes.to_device}};
    driver_of_512 driver{link};
    driver.run();

    REQUIRE(driver.bus.state() == link_state::up);
    CHECK(link.table().vdev.gfeatures == TestType::dialect::features);
    CHECK(driver.bus.max_payload() == sizes.to_device - 16);
    CHECK(link.device().max_payload() == sizes.to_driver - 16);
    for (std::uint16_t id = 0; id != 16; ++id) {
        CHECK(link.ring(vring_id::to_driver).descriptor_at(id).len == sizes.to_driver);
        CHECK(link.ring(vring_id::to_device).descriptor_at(id).len == sizes.to_device);
    }
}

TEST_CASE("payloads of every length up to 65519 bytes go both ways, whatever the other way's size",
          "[bus][long]")
{
    const auto sizes = GENERATE(wire::buffer_sizes{65535, 2000}, wire::buffer_sizes{2000, 65535});
    loopback<sized> link{{.to_driver_size = sizes.to_driver, .to_device_size = sizes.to_device}};
    std::vector<std::byte> heard;
    const auto keep = [&](message in) { heard.assign(in.payload().begin(), in.payload().end()); };
    endpoint of_driver{link.driver(), keep};
    endpoint of_device{link.device(), keep};
    REQUIRE(of_driver.open(address{1}, towards{address{2}}));
    REQUIRE(of_device.open(address{2}, towards{address{1}}));
    REQUIRE(link.run());

    const auto send = [&](auto& from, std::size_t length) {
        std::vector<std::byte> sent(length);
        for (std::size_t i = 0; i != length; ++i)
            sent[i] = static_cast<std::byte>(i * 7 + length);
        heard.assign(1, std::byte{0xEE});
        const auto done = from.try_send(sent);
        link.run();
        return done ? (heard == sent ? errc{} : errc::malformed) : done.error();
    };
    for (const std::size_t length : {0U, 1U, 496U, 497U, 1983U, 1984U, 1985U, 65518U, 65519U, 65520U}) {
        CAPTURE(length);
        CHECK(send(of_driver, length) == (length + 16 <= sizes.to_device ? errc{} : errc::too_long));
        CHECK(send(of_device, length) == (length + 16 <= sizes.to_driver ? errc{} : errc::too_long));
    }
}

TEST_CASE(
    "a driver that does not take the feature makes buffers of 512 bytes, and the device goes on with them",
    "[bus]")
{
    loopback<plain, sized> link{{.to_driver_size = 4096, .to_device_size = 8192}};
    REQUIRE(link.table().vdev.dfeatures == 3U);
    driver_of_512 driver{link};
    driver.run();
    REQUIRE(driver.bus.state() == link_state::up);
    CHECK(link.table().vdev.gfeatures == 1U);
    CHECK(driver.bus.max_payload() == 496);
    CHECK(link.device().max_payload() == 496);
}

TEST_CASE("a device that does not state its sizes gets those of the driver's pool", "[bus]")
{
    loopback<sized, plain> link{{.to_driver_size = 96, .to_device_size = 128}};
    REQUIRE(link.run());
    CHECK(link.table().vdev.gfeatures == 1U);
    CHECK(link.driver().max_payload() == 112);
    CHECK(link.device().max_payload() == 80);
}

TEST_CASE("a device that starts anew with other sizes gets those, or the pool's when it states none", "[bus]")
{
    loopback<sized> link{{.to_driver_size = 256, .to_device_size = 1024}};
    REQUIRE(link.run());
    REQUIRE(link.driver().max_payload() == 1008);
    auto& table = *reinterpret_cast<wire::rpmsg_table_with_sizes*>(link.bytes().data());

    const auto restart = [&] {
        table.vdev.status = virtio::status::needs_reset;
        return link.run() && link.driver().state() == link_state::up;
    };
    table.config = wire::config_space{{128, 512}};
    REQUIRE(restart());
    CHECK(link.driver().max_payload() == 496);
    CHECK(link.device().max_payload() == 112);

    table.vdev.dfeatures = policy::feature::name_service;
    REQUIRE(restart());
    CHECK(link.driver().max_payload() == 1008);
    CHECK(link.device().max_payload() == 240);
}

// Nothing in the config space is believed: a driver that cannot use it says so, and looks again.
TEST_CASE("a driver refuses a config space that it cannot use, until it can", "[bus][rule-1]")
{
    loopback<sized> link{{.to_driver_size = 256, .to_device_size = 1024}};
    auto& table = *reinterpret_cast<wire::rpmsg_table_with_sizes*>(link.bytes().data());
    const auto good = table.config;
    auto& first = reinterpret_cast<std::uint8_t&>(table.config);
    auto why = errc::malformed;

    SECTION("of another version") { first = 2; }
    SECTION("that the entry does not have") { table.vdev.config_len = 0U; }
    SECTION("that is cut off") { table.vdev.config_len = 10U; }
    SECTION("with buffers of no payload") { table.config = wire::config_space{{16, 512}}; }
    SECTION("with buffers that the pool has no room for")
    {
        table.config = wire::config_space{{65535, 512}};
        why = errc::out_of_memory;
    }

    for (int i = 0; i != 3; ++i)
        link.driver().poll();
    CHECK(link.driver().state() != link_state::up);
    CHECK(link.driver().refusal() == why);
    CHECK(link.driver().stats()[fault::layout_refused] == 1);
    CHECK((table.vdev.status.get() & virtio::status::failed) != 0);
    CHECK((table.vdev.status.get() & virtio::status::driver_ok) == 0);

    table.config = good;
    table.vdev.config_len = sizeof good;
    for (int i = 0; i != 4; ++i)
        link.driver().poll(), link.device().poll();
    CHECK(link.driver().state() == link_state::up);
    CHECK(link.driver().refusal() == errc{});
    CHECK(link.driver().max_payload() == 1008);
}

TEST_CASE("a bus on a vdev entry of which no more is known looks at nothing behind it", "[bus][rule-1]")
{
    loopback<sized> link;
    link.driver().stop();
    // At the end of its memory, where a sanitizer sees each look behind it.
    std::vector<wire::resource_rpmsg> alone(1, link.table().vdev);
    alone[0].config_len = 11U;
    loopback<sized>::driver_type driver{virtio::resource_table{alone[0]}, link.pool(), link.driver_models()};
    driver.poll();
    CHECK(driver.refusal() == errc::malformed);
}
