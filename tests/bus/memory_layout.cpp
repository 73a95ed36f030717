#include <rpmsg/bus/memory_layout.hpp>

#include <rpmsg/bus/lay_out.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/virtio/resource_table.hpp>
#include <rpmsg/wire/config_space.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include "bus/fixture.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

using namespace rpmsg;
using namespace rpmsg::testing;
using policy::vring_id;

namespace {

/// What OpenAMP's demo for two Linux processes has.
constexpr memory_plan usual{.address = 0x3ED0'0000,
                            .to_driver = {.count = 256, .notify_id = 1},
                            .to_device = {.count = 256, .notify_id = 2},
                            .reserved = 0x4000};
constexpr auto shared = lay_out<usual>();
constexpr std::uint32_t with_sizes = policy::feature::name_service | policy::feature::buffer_sizes;
constexpr auto of_sizes = lay_out<memory_plan{.address = 0x1000'0000,
                                              .to_driver = {.buffer_size = 2048},
                                              .to_device = {.buffer_size = 1024},
                                              .features = with_sizes}>();

constinit auto table = shared.table();
constinit auto table_of_sizes = of_sizes.table();

// Made before main(), of one type or the other.
static_assert(std::is_same_v<decltype(table), wire::rpmsg_table>);
static_assert(std::is_same_v<decltype(table_of_sizes), wire::rpmsg_table_with_sizes>);
static_assert(memory_layout{}.size() == 0);

constexpr virtio::resource_table_at<table_of_sizes> own_table;
static_assert(std::is_empty_v<virtio::resource_table_at<table_of_sizes>>);

}  // namespace

TEST_CASE("the parts of a layout follow each other, and the table says where the rings are", "[bus][rule-14]")
{
    CHECK(shared.address() == 0x3ED0'0000);
    CHECK(shared.ring(vring_id::to_driver).address == 0x3ED0'4000);
    CHECK(shared.ring(vring_id::to_driver).size == vring::layout_of(256, 4096).size);
    CHECK(shared.ring(vring_id::to_device).address == 0x3ED0'7000);
    CHECK(shared.buffers(vring_id::to_driver) == virtio::placed{0x3ED0'A000, 256 * 512});
    CHECK(shared.buffers(vring_id::to_device) == virtio::placed{0x3ED2'A000, 256 * 512});
    CHECK(shared.has_one_pool());
    CHECK(shared.size() == 0x4A000);
    CHECK(shared.offset_of(shared.buffers(vring_id::to_device)) == 0x2A000);
    CHECK(shared.parts(vring_id::to_driver).used == vring::layout_of(256, 4096).used);

    CHECK(hex_of(table) == hex_of(wire::make_rpmsg_table(
                               1, {.address = 0x3ED0'4000, .align = 4096, .num = 256, .notify_id = 1},
                               {.address = 0x3ED0'7000, .align = 4096, .num = 256, .notify_id = 2})));
}

TEST_CASE("a layout of negotiated sizes has them in its table's config space", "[bus][rule-14]")
{
    CHECK(table_of_sizes.vdev.dfeatures == 3U);
    CHECK(table_of_sizes.vdev.config_len == 11U);
    const auto sizes = table_of_sizes.config.read_once();
    REQUIRE(sizes);
    CHECK(*sizes == wire::buffer_sizes{2048, 1024});
    CHECK(of_sizes.sizes() == wire::buffer_sizes{2048, 1024});

    // As a board's own, and as one that a driver finds.
    policy::smp barriers;
    CHECK(own_table.buffer_sizes(barriers).value_or({}) == wire::buffer_sizes{2048, 1024});
    const auto found = virtio::resource_table::find(std::as_writable_bytes(std::span{&table_of_sizes, 1}));
    REQUIRE(found);
    CHECK(found->buffer_sizes(barriers).value_or({}) == wire::buffer_sizes{2048, 1024});
}

TEST_CASE("a layout with two pools, and rings where the plan says", "[bus][rule-14]")
{
    constexpr memory_plan plan{
        .address = 0x1000,
        .size = 0x10'0000,
        .to_driver = {.count = 4, .buffer_size = 256, .ring = 0x2000, .buffers = 0x8'0000},
        .to_device = {.count = 8, .buffer_size = 128, .ring = 0x1000, .buffers = 0x4'0000},
        .ring_align = 16,
        .driver = driven_by::rpmsg_bus};
    constexpr auto at = lay_out<plan>();
    CHECK_FALSE(at.has_one_pool());
    CHECK(at.size() == 0x8'0000);
    const auto places = at.places();
    CHECK(places.to_driver ==
          virtio::ring_place{.address = 0x2000, .num = 4, .align = 16, .notify_id = 0xFFFF'FFFF});
    CHECK(places.to_device.address == 0x1000);
    CHECK(places.features == 1);

    alignas(4096) static std::array<std::byte, at.size()> memory;
    const auto pool = at.pool(memory);
    CHECK(pool.to_driver.data() == memory.data() + 0x7'F000);
    CHECK(pool.to_driver.size() == 1024);
    CHECK(pool.to_device.data() == memory.data() + 0x3'F000);
    CHECK(pool.to_device.size() == 1024);
    CHECK(pool.sizes() == wire::buffer_sizes{256, 128});
    CHECK(pool.rings.data() == memory.data());
    CHECK(pool.rings.size() == 0x1000 + at.ring(vring_id::to_driver).size);
}

TEST_CASE("rings that are left to the driver have room, and no address in the table", "[bus][rule-14]")
{
    constexpr auto at = lay_out<memory_plan{.address = 0x8000'0000, .driver_places_rings = true}>();
    CHECK(at.table().vdev.vring[0].da == wire::resource_any);
    CHECK(at.table().vdev.vring[1].da == wire::resource_any);
    CHECK(at.ring(vring_id::to_driver).address == 0x8000'0000);
}

TEST_CASE("a table is written where there is room for it", "[bus][rule-14]")
{
    alignas(4) std::array<std::byte, 104> bytes{};
    const std::span<std::byte> all{bytes};
    CHECK(shared.write_table(all.first(87)).error() == errc::out_of_memory);
    CHECK(of_sizes.write_table(all.first(99)).error() == errc::out_of_memory);
    CHECK(shared.write_table(all.subspan(2)).error() == errc::misaligned);
    CHECK(hex(bytes) == std::string(208, '0'));

    REQUIRE(shared.write_table(all));
    CHECK(hex(all.first(88)) == hex_of(table));
    REQUIRE(of_sizes.write_table(all));
    CHECK(hex(all.first(99)) == hex_of(table_of_sizes).substr(0, 198));

    const auto high = lay_out({.address = 0xFFFF'F000});
    REQUIRE(high);
    CHECK_FALSE(high->fits_table());
    CHECK(high->write_table(all).error() == errc::out_of_map);
    CHECK(lay_out({.address = 0xFFFF'0000})->fits_table());
}

TEST_CASE("a layout checks the table of an image against its own places", "[bus][peers-3.1]")
{
    const auto check = [](auto image, const virtio::table_limits& limits = {}) {
        return shared.check(std::as_writable_bytes(std::span{&image, 1}), limits);
    };
    CHECK(check(shared.table()));
    auto image = shared.table();

    SECTION("which may leave the rings to the driver")
    {
        image.vdev.vring[0].da = image.vdev.vring[1].da = wire::resource_any;
        CHECK(check(image));
    }
    SECTION("and may be smaller")
    {
        image.vdev.vring[0].num = 16U;
        CHECK(check(image));
    }
    SECTION("but lies elsewhere")
    {
        image.vdev.vring[0].da = 0x3ED0'7000U;
        CHECK(check(image).broken == virtio::table_rule::ring_address);
        CHECK(check(image).error() == errc::out_of_map);
    }
    SECTION("but needs more room")
    {
        image.vdev.vring[1].num = 512U;
        CHECK(check(image).broken == virtio::table_rule::ring_size);
        CHECK(check(image, {.most_buffers = 512}).broken == virtio::table_rule::ring_address);
    }
    SECTION("but has another cache line in mind")
    {
        constexpr auto cached =
            lay_out<memory_plan{.address = 0x3ED0'4000, .ring_align = 64, .cache_line = 64}>();
        image = cached.table();
        CHECK(cached.check(std::as_writable_bytes(std::span{&image, 1})));
        image.vdev.vring[0].align = 16U;
        CHECK(cached.check(std::as_writable_bytes(std::span{&image, 1})).broken ==
              virtio::table_rule::ring_align);
    }
    SECTION("but runs already")
    {
        image.vdev.status = virtio::status::driver_ok;
        CHECK(check(image).broken == virtio::table_rule::driver_untouched);
        CHECK(check(image, {.is_running = true}));
    }
}

TEST_CASE("both ends come up on a layout, whatever its shape", "[bus][rule-14]")
{
    const auto align = GENERATE(16U, 4096U);
    const auto left = GENERATE(false, true);
    loopback<> link{
        {.to_driver_size = 96, .to_device_size = 160, .align = align, .driver_places_rings = left}};
    REQUIRE(fault_of(link.places().plan()) == plan_fault::none);
    REQUIRE(link.run());
    CHECK(link.driver().state() == link_state::up);
    CHECK(link.device().max_payload() == 80);
    CHECK(link.driver().max_payload() == 144);
    CHECK(link.places().check(link.bytes(), {.is_running = true}));
}
