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
    const process_layout at{.buffers = buffers, .buffer_size = size};
    const auto ring = rpmsg::vring::layout_of(buffers, process_layout::page).size;
    const auto pool = std::size_t{buffers} * size;

    CHECK(at.ring_to_driver() == process_layout::page);
    CHECK(at.ring_to_device() >= at.ring_to_driver() + ring);
    CHECK(at.buffers_to_driver() >= at.ring_to_device() + ring);
    CHECK(at.buffers_to_device() >= at.buffers_to_driver() + pool);
    CHECK(at.size() >= at.buffers_to_device() + pool);
    for (const auto start : {at.ring_to_device(), at.buffers_to_driver(), at.buffers_to_device(), at.size()})
        CHECK(start % process_layout::page == 0);
}

TEST_CASE("the other process finds the rings in the table, and the driver's bus its buffers", "[platform]")
{
    constexpr process_layout at{.buffers = 8, .buffer_size = 100};
    pages memory{at.size()};
    const auto& table = at.write_table(memory.bytes());

    CHECK(static_cast<const void*>(&table) == memory.bytes().data());
    CHECK(table.vdev.id.get() == rpmsg::wire::virtio_id_rpmsg);
    CHECK(table.vdev.dfeatures.get() == rpmsg::policy::feature::name_service);
    CHECK(table.vdev.status.get() == 0);
    CHECK(table.vdev.vring[0].da.get() == at.ring_to_driver());
    CHECK(table.vdev.vring[1].da.get() == at.ring_to_device());
    for (const auto& ring : table.vdev.vring) {
        CHECK(ring.num.get() == 8);
        CHECK(ring.align.get() == process_layout::page);
    }
    CHECK(process_layout::table_in(memory.bytes()));

    const auto pool = at.pool(memory.bytes());
    CHECK(pool.to_driver.data() == memory.bytes().data() + at.buffers_to_driver());
    CHECK(pool.to_device.data() == memory.bytes().data() + at.buffers_to_device());
    CHECK(pool.to_driver.size() >= 800);
    CHECK(pool.to_device.size() >= 800);
    CHECK(pool.to_driver_size == 100);
    CHECK(pool.to_device_size == 100);
}

TEST_CASE("memory without a table is refused", "[platform]")
{
    pages memory{2 * process_layout::page};
    CHECK(process_layout::table_in(memory.bytes()).error() == errc::not_ready);
    CHECK(process_layout::table_in(memory.bytes().first(process_layout::page - 1)).error() ==
          errc::out_of_map);
    CHECK(process_layout::table_in({}).error() == errc::out_of_map);
}
