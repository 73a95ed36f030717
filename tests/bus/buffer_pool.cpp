#include <rpmsg/bus/buffer_pool.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using policy::vring_id;

namespace {

/// A link whose driver makes its buffers of the pool that the test describes.
struct pool_link {
    explicit pool_link(const loopback_shape& shape = {}) : memory{shape} { memory.driver().stop(); }

    link_state driver_with(const buffer_pool& pool)
    {
        driver_bus<loopback_board> driver{memory.table(), pool, memory.driver_models()};
        for (int i = 0; i != 4; ++i) {
            driver.poll();
            memory.device().poll();
        }
        refusal = driver.refusal();
        max_payload = driver.max_payload();
        device_payload = memory.device().max_payload();
        refused = driver.stats()[fault::layout_refused];
        to_driver = memory.ring(vring_id::to_driver).avail().idx;
        to_device = 0;
        endpoint out{driver};
        CHECK(out.open(address{1}, towards{2}));
        while (out.try_send({}))
            ++to_device;
        return driver.state();
    }

    loopback<> memory;
    errc refusal{};
    std::uint32_t max_payload = 0;
    std::uint32_t device_payload = 0;
    std::uint32_t refused = 0;
    int to_driver = 0;
    int to_device = 0;
};

}  // namespace

TEST_CASE("a pool of two pieces gives each direction its own", "[bus]")
{
    pool_link link{{.to_driver_size = 256, .to_device_size = 128}};
    CHECK(link.driver_with(link.memory.pool()) == link_state::up);
    CHECK(link.max_payload == 128 - 16);
    CHECK(link.device_payload == 256 - 16);
    CHECK(link.to_driver == 16);
    CHECK(link.to_device == 16);
}

TEST_CASE("a pool of one piece serves the ring to the driver first", "[bus]")
{
    pool_link link;
    const auto all = link.memory.bytes().subspan(link.memory.bytes().size() - std::size_t{32} * 512);
    CHECK(link.driver_with({.to_driver = all}) == link_state::up);
    CHECK(link.to_driver == 16);
    CHECK(link.to_device == 16);

    SECTION("and the other gets what it leaves over")
    {
        CHECK(link.driver_with({.to_driver = all.first(std::size_t{20} * 512 + 511)}) == link_state::up);
        CHECK(link.to_driver == 16);
        CHECK(link.to_device == 4);
    }
}

TEST_CASE("a pool that is too small for all descriptors makes as many buffers as fit", "[bus]")
{
    pool_link link;
    auto pool = link.memory.pool();
    pool.to_driver = pool.to_driver.first(std::size_t{3} * 512 + 100);
    pool.to_device = pool.to_device.first(512);
    CHECK(link.driver_with(pool) == link_state::up);
    CHECK(link.to_driver == 3);
    CHECK(link.to_device == 1);
}

TEST_CASE("a pool without a buffer for each direction does not come up", "[bus]")
{
    pool_link link;
    auto pool = link.memory.pool();

    SECTION("to the driver") { pool.to_driver = pool.to_driver.first(511); }
    SECTION("to the device") { pool.to_device = pool.to_device.first(511); }
    SECTION("when one piece leaves nothing over")
    {
        pool.to_device = {};
        pool.to_driver = pool.to_driver.first(std::size_t{16} * 512);
    }
    SECTION("because a buffer has no room for a payload to the driver") { pool.to_driver_size = 16; }
    SECTION("because a buffer has no room for a payload to the device") { pool.to_device_size = 16; }
    SECTION("because the header could not state a payload's length to the driver")
    {
        pool.to_driver_size = 65536;
    }
    SECTION("because the header could not state a payload's length to the device")
    {
        pool.to_device_size = 65536;
    }

    CHECK(link.driver_with(pool) != link_state::up);
    CHECK(link.refusal == errc::out_of_memory);
    CHECK(link.refused == 1);
    CHECK(link.max_payload == 0);
    CHECK(link.memory.device().state() != link_state::up);
}

TEST_CASE("the smallest and the largest buffers carry what fits", "[bus][openamp-2.4]")
{
    const auto size = GENERATE(17U, 65535U);
    loopback<> link{{.to_driver_size = size, .to_device_size = size}};
    std::size_t heard = 0;
    endpoint in{link.device(), [&](std::span<const std::byte> p) { heard = p.size(); }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    REQUIRE(link.driver().max_payload() == size - 16);

    const std::string most(size - 16, 'm');
    REQUIRE(out.try_send(bytes(most)));
    link.run();
    CHECK(heard == size - 16);
    CHECK(out.try_send(bytes(most + "m")).error() == errc::too_long);
}

TEST_CASE("the driver's rings lie where the pool says when the table leaves it to the driver",
          "[bus][rule14]")
{
    pool_link link{{.driver_places_rings = true}};
    auto pool = link.memory.pool();

    SECTION("each aligned")
    {
        pool.rings = link.memory.bytes().subspan(100, link.memory.bytes().size() - 100);
        CHECK(link.driver_with(pool) == link_state::up);
        for (const auto& vring : link.memory.table().vdev.vring)
            CHECK(vring.da.get() % 4096 == 0);
        CHECK(link.memory.table().vdev.vring[0].da.get() != link.memory.table().vdev.vring[1].da.get());
    }
    SECTION("and not at all when there is no room")
    {
        pool.rings = pool.rings.first(8192);
        CHECK(link.driver_with(pool) != link_state::up);
        CHECK(link.refusal == errc::out_of_memory);
    }
}
