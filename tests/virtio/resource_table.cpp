#include <rpmsg/virtio/resource_table.hpp>

#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/testing/journal.hpp>
#include <rpmsg/testing/recording_coherence.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <random>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg::testing;
using namespace rpmsg::wire;
using rpmsg::errc;
using rpmsg::policy::single_core;
using rpmsg::policy::vring_id;
using rpmsg::virtio::resource_table;
namespace status = rpmsg::virtio::status;

namespace {

const rpmsg_table usual = make_rpmsg_table(1, {.address = 0x1000, .align = 4096, .num = 256, .notify_id = 8},
                                           {.address = 0x4000, .align = 64, .num = 16, .notify_id = 9});

/// A table in memory of exactly its size, where a sanitizer sees each look outside.
struct table_bytes {
    std::vector<std::byte> bytes;

    explicit table_bytes(std::size_t size) : bytes(size) {}
    explicit table_bytes(const rpmsg_table& table, std::size_t size = sizeof(rpmsg_table)) : bytes(size)
    {
        std::copy_n(reinterpret_cast<const std::byte*>(&table), std::min(size, sizeof table), bytes.begin());
    }

    table_bytes& word(std::size_t at, std::uint32_t value)
    {
        const le32 stored{value};
        std::memcpy(bytes.data() + at, &stored, sizeof stored);
        return *this;
    }
    /// A vdev entry with its two vrings.
    table_bytes& vdev(std::size_t at, std::uint32_t id = virtio_id_rpmsg)
    {
        auto entry = usual.vdev;
        entry.id = id;
        std::memcpy(bytes.data() + at, &entry, sizeof entry);
        return *this;
    }
    rpmsg::result<resource_table> find() { return resource_table::find(bytes); }
    /// Where the table that was found lies; what it offers is told apart by that.
    bool finds(std::uint32_t offered)
    {
        single_core barriers;
        const auto found = find();
        return found && found->offered(barriers) == offered;
    }
};

constexpr std::size_t num_at = 4;
constexpr std::size_t offset_at = 16;
constexpr std::size_t vdev_at = 20;
constexpr std::size_t dfeatures_in_vdev = 12;
constexpr std::size_t num_of_vrings_in_vdev = 25;

}  // namespace

// Finding the device in a table of which nothing is known

// @spec Linux include/linux/remoteproc.h, struct resource_table
// @spec Linux include/linux/remoteproc.h, struct fw_rsc_vdev_vring
TEST_CASE("the RPMsg device is found in the table that was laid out", "[virtio]")
{
    single_core barriers;
    const auto found = table_bytes{usual}.find();
    REQUIRE(found);
    REQUIRE(table_bytes{usual, 4096}.find());  // there may be more behind it

    auto bytes = table_bytes{usual};
    const auto table = *bytes.find();
    CHECK(table.check(barriers));
    CHECK(table.offered(barriers) == 1);
    CHECK(table.status(barriers) == 0);
    CHECK(table.ring(barriers, vring_id::to_driver) == rpmsg::virtio::ring_place{0x1000, 256, 4096, 8});
    CHECK(table.ring(barriers, vring_id::to_device) == rpmsg::virtio::ring_place{0x4000, 16, 64, 9});
}

// @spec Linux include/linux/remoteproc.h, struct resource_table
// @spec Linux include/linux/remoteproc.h, enum fw_resource_type
TEST_CASE("the RPMsg device is found behind other entries", "[virtio]")
{
    // Carveout, trace, a console, something of the vendor's, and a second RPMsg device.
    table_bytes table{400};
    table.word(0, 1).word(num_at, 6);
    table.word(16, 40).word(20, 100).word(24, 144).word(28, 212).word(32, 220).word(36, 300);
    table.word(40, 0).word(100, 2).vdev(144, 3).word(212, 128).vdev(220).vdev(300);
    table.word(220 + dfeatures_in_vdev, 0x1234).word(300 + dfeatures_in_vdev, 0x5678);
    CHECK(table.finds(0x1234));
}

// @spec Linux include/linux/remoteproc.h, enum fw_resource_type
// @spec Linux include/uapi/linux/virtio_ids.h, VIRTIO_ID_RPMSG
TEST_CASE("a table that was not laid out yet is waited for", "[virtio]")
{
    auto table = table_bytes{usual};

    SECTION("all of it is zero") { table = table_bytes{88}; }
    SECTION("another version") { table.word(0, GENERATE(0U, 2U, 0x0100'0000U, 0xFFFF'FFFFU)); }
    SECTION("no entries") { table.word(num_at, 0); }
    SECTION("an entry of another type") { table.word(vdev_at, GENERATE(0U, 1U, 2U, 4U, 128U, 0xFFFF'FFFFU)); }
    SECTION("a virtio device of another kind")
    {
        table.word(vdev_at + 4, GENERATE(0U, 3U, 8U, 0xFFFF'FFFFU));
    }

    CHECK(table.find().error() == errc::not_ready);
}

TEST_CASE("a table is never read beyond the memory it is said to have", "[virtio][rule3]")
{
    const auto size = GENERATE(range(std::size_t{0}, sizeof(rpmsg_table)));
    CHECK(table_bytes(usual, size).find().error() == errc::malformed);
}

TEST_CASE("a table that claims more entries than it has room for is refused", "[virtio][rule3]")
{
    auto table = table_bytes{usual};
    // 18 words follow the header; four times 0x4000'0001 is 4 in 32 bits.
    table.word(num_at, GENERATE(19U, 20U, 0x4000'0000U, 0x4000'0001U, 0x8000'0000U, 0xFFFF'FFFFU));
    CHECK(table.find().error() == errc::malformed);
}

TEST_CASE("a table with as many entries as it has room for is read to its end", "[virtio][rule3]")
{
    table_bytes table{16 + 4 * 1000};
    table.word(0, 1).word(num_at, 1000);
    for (std::size_t i = 0; i != 1000; ++i)
        table.word(offset_at + 4 * i, 8);  // each names the header's reserved word: type 0
    CHECK(table.find().error() == errc::not_ready);
}

TEST_CASE("an entry outside the table is refused", "[virtio][rule3]")
{
    auto table = table_bytes{usual};
    // Behind the end, at the end, and where a word added to it wraps.
    table.word(offset_at, GENERATE(88U, 92U, 4096U, 0x7FFF'FFFCU, 0x8000'0000U, 0xFFFF'FFFCU));
    CHECK(table.find().error() == errc::malformed);
}

TEST_CASE("a device whose entry ends outside the table is refused", "[virtio][rule3]")
{
    table_bytes table{104};
    table.word(0, 1).word(num_at, 1);
    const auto at = GENERATE(40U, 60U, 84U, 100U);  // 68 bytes fit from 36 on
    table.word(offset_at, at).word(at, resource_vdev);
    CHECK(table.find().error() == errc::malformed);

    table.word(offset_at, 36).vdev(36);
    CHECK(table.find());
}

TEST_CASE("of an entry of another type only the type is read", "[virtio][rule3]")
{
    auto table = table_bytes{usual};
    table.word(offset_at, 84).word(84, 2);  // a trace entry of which four bytes are there
    CHECK(table.find().error() == errc::not_ready);
}

TEST_CASE("a table or an entry that is not aligned is refused", "[virtio][rule3]")
{
    SECTION("the table")
    {
        std::vector<std::byte> bytes(96);
        const auto off = GENERATE(1U, 2U, 3U);
        std::memcpy(bytes.data() + off, &usual, sizeof usual);
        CHECK(resource_table::find(std::span{bytes}.subspan(off)).error() == errc::misaligned);
    }
    SECTION("an entry")
    {
        auto table = table_bytes{usual};
        table.word(offset_at, GENERATE(21U, 22U, 23U, 0xFFFF'FFFFU, 0xFFFF'FFFDU));
        CHECK(table.find().error() == errc::misaligned);
    }
}

TEST_CASE("a device with fewer than two vrings is refused", "[virtio][rule3]")
{
    auto table = table_bytes{usual};
    table.bytes[vdev_at + num_of_vrings_in_vdev] = static_cast<std::byte>(GENERATE(0, 1));
    CHECK(table.find().error() == errc::malformed);
}

TEST_CASE("whatever a table holds, finding ends and stays inside", "[virtio][rule3][random]")
{
    std::minstd_rand random{7};
    const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random()) % n; };
    std::uint32_t found = 0;
    for (int run = 0; run != 20'000; ++run) {
        table_bytes table{usual, 80 + 4 * below(20)};
        for (auto i = below(6); i != 0; --i)
            table.word(4 * below(20), std::array{below(8), below(200), 4 * below(60),
                                                 static_cast<std::uint32_t>(random())}[below(4)]);
        const auto at = table.find();
        found += at ? 1U : 0U;
        single_core barriers;
        if (at)  // all of the entry is there to be read
            static_cast<void>(at->ring(barriers, vring_id::to_device));
    }
    CHECK(found > 1000);  // it was not all refused
}

// What the two sides say through it

// @spec virtio 1.2, 2.1; virtio 1.2, 2.2
// @spec Linux drivers/remoteproc/remoteproc_virtio.c, rproc_virtio_set_status()
// @spec Linux drivers/remoteproc/remoteproc_virtio.c, rproc_virtio_finalize_features()
// @spec Linux drivers/remoteproc/remoteproc_virtio.c, rp_find_vq()
TEST_CASE("what one side writes into the table is what the other reads", "[virtio]")
{
    auto shared = usual;
    resource_table driver{shared};
    const resource_table device{shared};
    single_core barriers;

    driver.accept(barriers, 0x2000'0001);
    CHECK(device.accepted(barriers) == 0x2000'0001);
    CHECK(shared.vdev.gfeatures == 0x2000'0001U);
    CHECK(driver.offered(barriers) == 1);  // not what was accepted

    driver.set_status(barriers, status::acknowledge | status::driver | status::driver_ok);
    CHECK(device.status(barriers) == 7);
    CHECK(shared.vdev.status == 7);

    driver.place_ring(barriers, vring_id::to_driver, 0x1234'0000);
    driver.place_ring(barriers, vring_id::to_device, 0x5678'0000);
    CHECK(device.ring(barriers, vring_id::to_driver).address == 0x1234'0000);
    CHECK(device.ring(barriers, vring_id::to_device).address == 0x5678'0000);
    CHECK(device.ring_mark(barriers, vring_id::to_driver) == 0x1234'0000);
    CHECK(device.ring_mark(barriers, vring_id::to_device) == 0x5678'0000);

    // Nothing else was touched.
    auto expected = usual;
    expected.vdev.gfeatures = 0x2000'0001;
    expected.vdev.status = std::uint8_t{7};
    expected.vdev.vring[0].da = 0x1234'0000;
    expected.vdev.vring[1].da = 0x5678'0000;
    CHECK(hex_of(shared) == hex_of(expected));
}

// A board that knows its table when it is built pays nothing for knowing it.
namespace {
constinit rpmsg_table firmware_table = make_rpmsg_table(1, {.address = 0x1000}, {.address = 0x2000});
}
static_assert(std::is_empty_v<rpmsg::virtio::resource_table_at<firmware_table>>);

TEST_CASE("a table known at compile time is the same table", "[virtio]")
{
    rpmsg::virtio::resource_table_at<firmware_table> fixed;
    const resource_table found{firmware_table};
    single_core barriers;
    CHECK(fixed.check(barriers));
    CHECK(fixed.offered(barriers) == 1);
    CHECK(fixed.ring(barriers, vring_id::to_device) == found.ring(barriers, vring_id::to_device));
    fixed.set_status(barriers, 3);
    fixed.ask_for_reset(barriers);
    CHECK(found.status(barriers) == 0x43);
    fixed.accept(barriers, 1);
    CHECK(found.accepted(barriers) == 1);
    fixed.place_ring(barriers, vring_id::to_driver, 0x3000);
    CHECK(found.ring_mark(barriers, vring_id::to_driver) == 0x3000);
}

// @spec Linux include/linux/remoteproc.h, FW_RSC_ADDR_ANY
TEST_CASE("a ring's place may be left to the driver", "[virtio]")
{
    auto shared = make_rpmsg_table(1, {.num = 8, .notify_id = 3}, {.address = 0, .align = 16, .num = 4});
    const resource_table table{shared};
    single_core barriers;
    CHECK_FALSE(table.is_placed(barriers, vring_id::to_driver));
    CHECK(table.is_placed(barriers, vring_id::to_device));
    CHECK(table.ring(barriers, vring_id::to_driver).notify_id == 3);
    CHECK(table.ring(barriers, vring_id::to_device) == rpmsg::virtio::ring_place{0, 4, 16, resource_any});
}

// @spec virtio 1.2, 2.1.2
TEST_CASE("a device asks for a reset and leaves the other status bits", "[virtio][restart]")
{
    auto shared = usual;
    resource_table device{shared};
    single_core barriers;
    shared.vdev.status = std::uint8_t{7};
    device.ask_for_reset(barriers);
    CHECK(shared.vdev.status == 0x47);
    device.ask_for_reset(barriers);
    CHECK(shared.vdev.status == 0x47);
}

TEST_CASE("a driver waits for a table that describes an RPMsg device", "[virtio]")
{
    auto shared = usual;
    const resource_table table{shared};
    single_core barriers;
    CHECK(table.check(barriers));

    SECTION("it is not laid out") { shared = {}; }
    SECTION("it is no virtio device") { shared.vdev.type = 2; }
    SECTION("it is another device") { shared.vdev.id = 3; }
    CHECK(table.check(barriers).error() == errc::not_ready);
}

// The order of it

namespace {

/// A table, and what the recording coherence saw of it.
struct observed {
    rpmsg_table shared = usual;
    resource_table table{shared};
    journal log;
    recording_coherence barriers{log};

    observed() { log.watch(std::as_bytes(std::span{&shared, 1})); }
    observed(const observed&) = delete;
    observed& operator=(const observed&) = delete;

    bool is_all(std::initializer_list<step> steps) const
    {
        return log.entries().size() == steps.size() && log.has_in_order(steps);
    }
    /// The table right before an entry took effect.
    rpmsg_table before(std::size_t entry) const
    {
        rpmsg_table copy;
        std::memcpy(&copy, log.entries().at(entry).memory.data(), sizeof copy);
        return copy;
    }
    /// The peer changes what is about to be read: a read that came before the invalidate misses it.
    void at_each_invalidate(std::vector<std::function<void()>> moves)
    {
        log.when(event::invalidate, [moves = std::move(moves), i = std::size_t{0}]() mutable {
            if (i != moves.size())
                moves[i++]();
        });
    }
};

}  // namespace

TEST_CASE("a status is written after all that it stands for, and before all that follows", "[virtio][order]")
{
    observed seen;
    SECTION("by the driver") { seen.table.set_status(seen.barriers, 7); }
    SECTION("by the device")
    {
        seen.shared.vdev.status = std::uint8_t{0x0F};
        seen.table.ask_for_reset(seen.barriers);
        REQUIRE(seen.log.entries().at(0).what == event::invalidate);
        CHECK(seen.shared.vdev.status == 0x4F);
    }
    INFO(seen.log);
    const auto& entries = seen.log.entries();
    const auto first = entries.size() - 3;
    CHECK(entries.at(first).what == event::full_barrier);
    CHECK(step{event::clean, &seen.shared.vdev.status, 1}.fits(entries.at(first + 1)));
    CHECK(entries.at(first + 2).what == event::full_barrier);
    CHECK(seen.before(first).vdev.status != seen.shared.vdev.status.get());
    CHECK(seen.before(first + 1).vdev.status == seen.shared.vdev.status.get());
}

TEST_CASE("what is written into the table is written to a fresh line, and cleaned afterwards",
          "[virtio][order]")
{
    // Both sides write to this line: what is cached of it may be older than what the peer wrote beside the field.
    observed seen;
    seen.table.accept(seen.barriers, 0x77);
    CHECK(seen.is_all({{event::invalidate, &seen.shared.vdev.gfeatures, 4},
                       {event::clean, &seen.shared.vdev.gfeatures, 4}}));
    CHECK(seen.before(0).vdev.gfeatures != 0x77U);
    CHECK(seen.before(1).vdev.gfeatures == 0x77U);

    seen.log.clear();
    seen.table.place_ring(seen.barriers, vring_id::to_device, 0x9000);
    CHECK(seen.is_all({{event::invalidate, &seen.shared.vdev.vring[1].da, 4},
                       {event::clean, &seen.shared.vdev.vring[1].da, 4}}));
    CHECK(seen.before(0).vdev.vring[1].da != 0x9000U);
    CHECK(seen.before(1).vdev.vring[1].da == 0x9000U);

    seen.log.clear();
    seen.table.set_status(seen.barriers, 7);
    CHECK(step{event::invalidate, &seen.shared.vdev.status, 1}.fits(seen.log.entries().at(0)));
    CHECK(seen.before(0).vdev.status != 7);
}

TEST_CASE("what is read from the table is invalidated before, field by field and once",
          "[virtio][order][rule1]")
{
    observed seen;
    auto& vdev = seen.shared.vdev;

    SECTION("status")
    {
        seen.at_each_invalidate({[&] { vdev.status = std::uint8_t{5}; }});
        CHECK(seen.table.status(seen.barriers) == 5);
        CHECK(seen.is_all({{event::invalidate, &vdev.status, 1}}));
    }
    SECTION("offered")
    {
        seen.at_each_invalidate({[&] { vdev.dfeatures = 5; }});
        CHECK(seen.table.offered(seen.barriers) == 5);
        CHECK(seen.is_all({{event::invalidate, &vdev.dfeatures, 4}}));
    }
    SECTION("accepted")
    {
        seen.at_each_invalidate({[&] { vdev.gfeatures = 5; }});
        CHECK(seen.table.accepted(seen.barriers) == 5);
        CHECK(seen.is_all({{event::invalidate, &vdev.gfeatures, 4}}));
    }
    SECTION("a ring's place")
    {
        auto& ring = vdev.vring[1];
        seen.log.when(event::invalidate, [&, n = 100U]() mutable {
            for (auto* const field : {&ring.da, &ring.num, &ring.align, &ring.notifyid})
                *field = n;
            ++n;
        });
        const auto place = seen.table.ring(seen.barriers, vring_id::to_device);
        INFO(seen.log);
        CHECK(seen.log.entries().size() == 4);
        for (const auto* const field : {&ring.da, &ring.num, &ring.align, &ring.notifyid})
            CHECK(seen.log.count({event::invalidate, field, 4}) == 1);
        // Each is as of its own invalidate: all differ, none is old.
        std::vector<std::uint64_t> read{place.address, place.num, place.align, place.notify_id};
        std::sort(read.begin(), read.end());
        CHECK(read == std::vector<std::uint64_t>{100, 101, 102, 103});
    }
    SECTION("the kind of device")
    {
        seen.at_each_invalidate({[&] { vdev.type = 3; }, [&] { vdev.id = 4; }});
        CHECK(seen.table.check(seen.barriers).error() == errc::not_ready);
        CHECK(seen.is_all({{event::invalidate, &vdev.type, 4}, {event::invalidate, &vdev.id, 4}}));
    }
}

TEST_CASE("the second RPMsg device of a table is found by its number", "[virtio]")
{
    table_bytes table{24 + 2 * sizeof(resource_rpmsg)};
    table.word(0, 1).word(4, 2).word(16, 24).word(20, 24 + 68).vdev(24).vdev(24 + 68);
    table.word(24 + 16, 5).word(24 + 68 + 16, 6);  // gfeatures
    single_core barriers;
    CHECK(resource_table::find(table.bytes)->accepted(barriers) == 5);
    CHECK(resource_table::find(table.bytes, 1)->accepted(barriers) == 6);
    CHECK(resource_table::find(table.bytes, 2).error() == errc::not_ready);
}

TEST_CASE("config space is read only where the memory that was searched goes on", "[virtio]")
{
    const auto laid_out = make_rpmsg_table(3, {.address = 0x1000}, {.address = 0x4000}, {64, 1024});
    const std::size_t room = GENERATE(0U, 1U, 10U, 11U);
    std::vector<std::byte> bytes(sizeof(rpmsg_table) + room);  // a sanitizer sees each look behind it
    std::memcpy(bytes.data(), &laid_out, bytes.size());
    auto found = resource_table::find(bytes);
    REQUIRE(found);
    single_core barriers;
    const auto sizes = found->buffer_sizes(barriers);
    CHECK(sizes.error() == (room == 11 ? errc{} : errc::malformed));
    if (sizes)
        CHECK(*sizes == buffer_sizes{64, 1024});
}
