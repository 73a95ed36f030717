#include <rpmsg/platform/linux/process_layout.hpp>

#include <rpmsg/platform/linux/futex.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

using rpmsg::errc;
using rpmsg::platform::process_layout;
using rpmsg::policy::vring_id;

namespace {

/// Some memory that is aligned to a page.
class pages {
public:
    explicit pages(std::size_t bytes) : memory_(bytes / sizeof(page) + 1) {}
    [[nodiscard]] std::span<std::byte> bytes() { return std::as_writable_bytes(std::span{memory_}); }

private:
    struct alignas(process_layout::page) page {
        std::array<std::byte, process_layout::page> bytes;
    };
    std::vector<page> memory_;
};

}  // namespace

static_assert(process_layout{}.size() == 84 * 1024);
static_assert(process_layout::bells % alignof(rpmsg::platform::futex_words) == 0);
static_assert(process_layout::bells + sizeof(rpmsg::platform::futex_words) <= process_layout::page);

TEST_CASE("the parts of a link's memory follow each other, on pages of their own", "[platform]")
{
    const auto buffers = GENERATE(std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{64}, std::uint16_t{256});
    const auto size = GENERATE(17U, 512U, 4096U, 65535U);
    const process_layout at{
        .buffers = buffers, .to_driver_size = size, .to_device_size = 65535U + 17U - size};
    const auto ring = rpmsg::vring::layout_of(buffers, process_layout::page).size;
    const auto places = at.places();
    const auto rings = std::array{places.ring(vring_id::to_driver), places.ring(vring_id::to_device)};
    const auto pools = std::array{places.buffers(vring_id::to_driver), places.buffers(vring_id::to_device)};

    CHECK(rings[0].address == process_layout::page);
    CHECK(rings[0].size == ring);
    CHECK(rings[1].address >= rings[0].end());
    CHECK(pools[0].address >= rings[1].end());
    CHECK(pools[0].size == std::size_t{buffers} * size);
    CHECK(pools[1].address >= pools[0].end());
    CHECK(at.size() >= pools[1].end());
    for (const auto start : {rings[1].address, pools[0].address, pools[1].address, std::uint64_t{at.size()}})
        CHECK(start % process_layout::page == 0);
}

TEST_CASE("the other process finds the rings in the table, and the driver's bus its buffers", "[platform]")
{
    constexpr process_layout at{.buffers = 8, .to_driver_size = 100, .to_device_size = 60};
    constexpr auto places = at.places();
    pages memory{at.size()};
    at.write_table(memory.bytes());
    const auto& table = *reinterpret_cast<const rpmsg::wire::rpmsg_table*>(memory.bytes().data());

    CHECK(table.vdev.id.get() == rpmsg::wire::virtio_id_rpmsg);
    CHECK(table.vdev.dfeatures.get() == rpmsg::policy::feature::name_service);
    CHECK(table.vdev.status.get() == 0);
    CHECK(table.vdev.vring[0].da.get() == places.ring(vring_id::to_driver).address);
    CHECK(table.vdev.vring[1].da.get() == places.ring(vring_id::to_device).address);
    for (const auto& ring : table.vdev.vring) {
        CHECK(ring.num.get() == 8);
        CHECK(ring.align.get() == process_layout::page);
    }
    CHECK(process_layout::table_in(memory.bytes()));

    const auto pool = at.pool(memory.bytes());
    CHECK(pool.to_driver.data() ==
          memory.bytes().data() + places.offset_of(places.buffers(vring_id::to_driver)));
    CHECK(pool.to_device.data() ==
          memory.bytes().data() + places.offset_of(places.buffers(vring_id::to_device)));
    CHECK(pool.to_driver.size() >= 800);
    CHECK(pool.to_device.size() >= 480);
    CHECK(pool.to_driver_size == 100);
    CHECK(pool.to_device_size == 60);
}

TEST_CASE("memory without a table is refused", "[platform]")
{
    pages memory{2 * process_layout::page};
    CHECK(process_layout::table_in(memory.bytes()).error() == errc::not_ready);
    CHECK(process_layout::table_in(memory.bytes().first(process_layout::page - 1)).error() ==
          errc::out_of_map);
    CHECK(process_layout::table_in({}).error() == errc::out_of_map);
}
