#include <rpmsg/bus/driver_link.hpp>

#include <rpmsg/testing/journal.hpp>
#include <rpmsg/testing/recording_board.hpp>

#include "bus/link_memory.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

using namespace rpmsg;
using testing::event;
using testing::journal;
using virtio::resource_table;
using wire::avail_no_interrupt;

namespace {

constexpr auto rx = policy::vring_id::to_driver;
constexpr auto tx = policy::vring_id::to_device;

/// A driver whose device is the test. Its buffers begin where link_memory says.
template <typename Board = plain_board>
struct driver : link_memory {
    buffer_pool pool;
    driver_link<Board, resource_table> link;

    /// With one pool for everything, and room for `buffers` in it.
    explicit driver(std::size_t buffers = 16, std::uint16_t to_driver = 8, std::uint16_t to_device = 8)
        : driver{buffer_pool{}, buffers, to_driver, to_device}
    {}
    /// With a pool of which `like` says all but the memory for receiving.
    driver(const buffer_pool& like, std::size_t buffers, std::uint16_t to_driver = 8,
           std::uint16_t to_device = 8, std::uint32_t features = 1)
        : link_memory{to_driver, to_device, features},
          pool{like},
          link{table,
               with(pool, piece(buffers_at, buffers * buffer_size)),
               {.address_map = typename Board::address_map{map}}}
    {
        link.start();
    }

    answer take_tx(unsigned keep = 0) { return next_buffer(link, keep); }
    answer peek_rx() { return next_message(link); }

    /// It was given up: it says so once, tells the device, and starts over.
    void check_given_up()
    {
        CHECK(link.has_change());
        CHECK(link.step() == link_change::broke_down);
        CHECK(link.counts[fault::ring_broken] == 1);
        CHECK(status_now() == 0);
        CHECK(link.step() == link_change::came_up);
        CHECK(status_now() == 7);
        CHECK(link.intact());
        CHECK(ring[0].used().idx == 0);
        CHECK(ring[0].avail().idx == 8);
    }

private:
    static const buffer_pool& with(buffer_pool& pool, std::span<std::byte> memory)
    {
        pool.to_driver = memory;
        return pool;
    }
};

}  // namespace

// Coming up

TEST_CASE("a driver waits until the firmware has laid its table out", "[bus]")
{
    driver end;
    const auto table = end.table;
    end.table = {};
    const auto before = end.copy();
    end.link.start();
    CHECK_FALSE(end.link.has_change());
    CHECK(end.link.step() == link_change::none);
    CHECK(end.copy() == before);

    end.table = table;
    CHECK(end.link.has_change());
    CHECK(end.link.step() == link_change::came_up);
    CHECK(end.link.intact());
    CHECK_FALSE(end.link.has_change());
    CHECK(end.link.step() == link_change::none);
}

// The state that OpenAMP's driver leaves after its start, but for the free chain, which means nothing.
// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_probe()
// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, MAX_RPMSG_BUF_SIZE
TEST_CASE("a driver makes the rings, posts its receive buffers, and says DRIVER_OK", "[bus][openamp-1.5]")
{
    driver end;
    for (const auto& ring : end.ring)
        std::fill(ring.bytes.begin(), ring.bytes.end(), std::byte{0xAA});
    REQUIRE(end.link.step() == link_change::came_up);

    CHECK(end.status_now() == 7);
    CHECK(end.table.vdev.gfeatures == 1U);
    CHECK(end.link.features() == 1);
    CHECK(end.link.longest() == 496);
    const auto& received = end.ring[0];
    CHECK((received.avail().flags == 0 && received.avail().idx == 8));
    CHECK((received.used().flags == 0 && received.used().idx == 0));
    for (std::uint16_t id = 0; id != 8; ++id) {
        CHECK(received.avail_entry(id) == id);
        const auto descriptor = received.descriptor(id);
        CHECK((descriptor.addr == end.buffer(id) && descriptor.len == 512U));
        CHECK((descriptor.flags == wire::descriptor_write && descriptor.next == 0));
    }
    const auto& sent = end.ring[1];
    CHECK(
        (sent.avail().flags == avail_no_interrupt && sent.avail().idx == 0));  // nobody waits for buffers yet
    CHECK((sent.used().flags == 0 && sent.used().idx == 0));
    for (std::uint16_t id = 0; id != 8; ++id) {
        const auto descriptor = sent.descriptor(id);
        CHECK((descriptor.addr == end.buffer(static_cast<std::uint16_t>(8 + id)) && descriptor.len == 512U));
        CHECK((descriptor.flags == 0 && descriptor.next == 0));
    }
}

// @spec virtio 1.2, 2.1.1; virtio 1.2, 3.1.1; virtio 1.2, 3.1.2
TEST_CASE("a driver says DRIVER_OK last, after 0 and after what it is", "[bus][order][openamp-1.7]")
{
    journal log;
    struct recorded : testing::recording_board {
        using ring = policy::ring_up_to<16>;
    };
    driver<recorded> end;
    end.status() = std::uint8_t{0x47};
    std::vector<std::uint8_t> said;
    std::vector<std::uint16_t> posted;
    log.clear();
    log.when(event::clean, [&] {
        if (!said.empty() && said.back() == end.status())
            return;
        said.push_back(end.status());
        posted.push_back(end.ring[0].avail().idx);
    });
    REQUIRE(end.link.step() == link_change::came_up);

    CHECK(said == std::vector<std::uint8_t>{0, 3, 7});
    CHECK(posted == std::vector<std::uint16_t>{0, 0, 8});
    INFO(log);
    CHECK(log.has_in_order({{event::clean, &end.table.vdev.gfeatures},
                            {event::store_release, &end.ring[0].avail().idx, 8},
                            {event::clean, &end.ring[0].avail().idx},
                            {event::full_barrier},
                            {event::clean, &end.status()}}));
    CHECK(log.count({event::clean, &end.status()}) == 3);
    const auto& entries = log.entries();
    REQUIRE(entries.size() > 1);
    CHECK(entries.at(entries.size() - 2).where == &end.status());
    CHECK(entries.back().what == event::full_barrier);
}

TEST_CASE("a driver hands its buffers over clean: nothing of its cache may fall on what the device writes",
          "[bus][order]")
{
    journal log;
    struct recorded : testing::recording_board {
        using ring = policy::ring_up_to<16>;
    };
    driver<recorded> end;
    log.clear();
    REQUIRE(end.link.step() == link_change::came_up);
    INFO(log);
    for (std::uint16_t id = 0; id != 16; ++id)
        CHECK(log.has_in_order(
            {{event::clean, end.piece(link_memory::buffers_at + id * 512U, 1).data()},
             {event::invalidate, end.piece(link_memory::buffers_at + id * 512U + 511, 1).data()},
             {event::store_release, &end.ring[0].avail().idx, 1}}));
}

// @spec virtio 1.2, 2.2.1
TEST_CASE("a driver accepts the features that are offered and its dialect has, and no others", "[bus][R16]")
{
    struct with_events : plain_board {
        using dialect = policy::with_event_idx<policy::linux_kernel>;
    };
    constexpr auto both = policy::feature::name_service | policy::feature::event_idx;

    SECTION("everything is offered")
    {
        driver<plain_board> end{buffer_pool{}, 16, 8, 8, 0xFFFF'FFFF};
        REQUIRE(end.link.step() == link_change::came_up);
        CHECK(end.link.features() == 1);
        CHECK(end.table.vdev.gfeatures == 1U);
    }
    SECTION("everything is offered to one that has event indices")
    {
        driver<with_events> end{buffer_pool{}, 16, 8, 8, 0xFFFF'FFFF};
        REQUIRE(end.link.step() == link_change::came_up);
        CHECK(end.link.features() == both);
        CHECK(end.table.vdev.gfeatures == both);
        CHECK(end.ring[1].avail().flags == 0);  // silence by an event index
    }
    SECTION("nothing is offered")
    {
        driver<with_events> end{buffer_pool{}, 16, 8, 8, 0};
        REQUIRE(end.link.step() == link_change::came_up);
        CHECK(end.table.vdev.gfeatures == 0U);
        CHECK(end.ring[1].avail().flags == avail_no_interrupt);
    }
}

namespace {

struct polled : plain_board {
    static constexpr auto inbound = policy::inbound::polled;
};

struct with_id : plain_board {
    struct doorbell : policy::doorbell_defaults {
        static constexpr bool carries_queue_id = true;
        void ring(policy::vring_id /*which*/, std::uint32_t /*notify_id*/) noexcept {}
    };
};

}  // namespace

TEST_CASE("a driver that polls tells the device once that it needs no doorbell", "[bus]")
{
    driver<polled> end;
    REQUIRE(end.link.step() == link_change::came_up);
    CHECK(end.ring[0].avail().flags == avail_no_interrupt);
    CHECK(end.ring[1].avail().flags == avail_no_interrupt);
}

TEST_CASE("a driver's doorbell that carries an id carries the one of the table", "[bus]")
{
    driver<with_id> end;
    REQUIRE(end.link.step() == link_change::came_up);
    CHECK(end.link.notify_id(rx) == 70);
    CHECK(end.link.notify_id(tx) == 71);
}

// Its buffers

TEST_CASE("a driver makes as many buffers as rings and memory have room for", "[bus][openamp-1.4]")
{
    SECTION("one pool: the receiving ring first")
    {
        driver end{11};
        REQUIRE(end.link.step() == link_change::came_up);
        CHECK(end.ring[0].avail().idx == 8);
        for (const std::size_t id : {8U, 9U, 10U})
            CHECK(end.take_tx().buffer.data == end.piece(0x4000 + std::uint32_t(id) * 512, 1).data());
        CHECK(end.take_tx().why == errc::full);
        CHECK(end.ring[1].descriptor(3).len == 0U);  // what is not there is not described
    }
    SECTION("one pool, larger than both rings")
    {
        driver end{20};
        REQUIRE(end.link.step() == link_change::came_up);
        for (int i = 0; i != 8; ++i)
            CHECK(end.take_tx().why == errc{});
        CHECK(end.take_tx().why == errc::full);
    }
    SECTION("two pools")
    {
        driver end{buffer_pool{}, 3};
        const auto second = end.piece(0xC000, 5 * 512 + 511);
        auto pool = end.pool;
        pool.to_device = second;
        end.link = {end.table, pool, {.address_map = end.map}};
        REQUIRE(end.link.step() == link_change::came_up);
        CHECK(end.ring[0].avail().idx == 3);
        CHECK(end.ring[0].descriptor(2).addr == end.buffer(2));
        CHECK(end.ring[0].descriptor(3).len == 0U);
        for (std::size_t i = 0; i != 5; ++i)
            CHECK(end.take_tx().buffer.data == second.data() + i * 512);
        CHECK(end.take_tx().why == errc::full);
        CHECK(end.ring[1].descriptor(4).addr == link_memory::base + 0xC000U + 4 * 512);
    }
    SECTION("buffers of different sizes each way")
    {
        driver end{{.to_driver_size = 64, .to_device_size = 1024}, 16};
        REQUIRE(end.link.step() == link_change::came_up);
        CHECK(end.link.longest() == 1008);
        CHECK(end.ring[0].descriptor(7).addr == link_memory::base + 0x4000 + 7 * 64);
        CHECK(end.ring[0].descriptor(7).len == 64U);
        for (std::size_t i = 0; i != 7; ++i) {  // (16 * 512 - 8 * 64) / 1024
            const auto got = end.take_tx();
            CHECK(got.buffer.data == end.piece(0x4000 + 8 * 64, 1).data() + i * 1024);
            CHECK(got.buffer.capacity == 1024);
        }
        CHECK(end.take_tx().why == errc::full);
    }
    SECTION("rings of different sizes")
    {
        driver end{32, 2, 16};
        REQUIRE(end.link.step() == link_change::came_up);
        CHECK(end.ring[0].avail().idx == 2);
        for (int i = 0; i != 16; ++i)
            CHECK(end.take_tx().why == errc{});
        CHECK(end.take_tx().why == errc::full);
    }
}

TEST_CASE("a driver without a buffer each way does not come up", "[bus][openamp-1.4]")
{
    const auto pool =
        GENERATE(buffer_pool{}, buffer_pool{.to_driver_size = 0}, buffer_pool{.to_driver_size = 16},
                 buffer_pool{.to_device_size = 0}, buffer_pool{.to_device_size = 16},
                 buffer_pool{.to_driver_size = 0xFFFF'FFFF}, buffer_pool{.to_device_size = 0xFFFF'FFFF});
    const bool whole = pool.to_driver_size == 512 && pool.to_device_size == 512;
    driver end{pool, whole ? GENERATE(0U, 1U, 8U) : 16U};  // eight are all taken for receiving

    CHECK(end.link.step() == link_change::refused);
    CHECK(end.link.refusal() == errc::out_of_memory);
    CHECK(end.status_now() == virtio::status::failed);
    CHECK_FALSE(end.link.has_change());
    for (int i = 0; i != 3; ++i) {
        CHECK(end.link.step() == link_change::none);
        CHECK((end.status_now() & virtio::status::driver_ok) == 0);
    }
    CHECK(end.link.counts[fault::layout_refused] == 1);
    CHECK(end.link.counts.total() == 1);
}

TEST_CASE("a driver makes no buffers longer than a header can tell of", "[bus][openamp-S2]")
{
    const auto bytes = GENERATE(65535U, 65536U);
    const bool received = GENERATE(true, false);
    driver end;
    std::vector<std::byte> memory(0x9'0000);
    end.pool.to_driver = memory;
    (received ? end.pool.to_driver_size : end.pool.to_device_size) = bytes;
    end.link = {end.table, end.pool, {.address_map = end.map}};
    CHECK(end.link.step() == (bytes == 65535 ? link_change::came_up : link_change::refused));
}

TEST_CASE("a driver without a buffer to receive in does not come up, though it could send",
          "[bus][openamp-1.4]")
{
    driver end{buffer_pool{}, 0};
    end.pool.to_device = end.piece(0xC000, 8 * 512);
    end.link = {end.table, end.pool, {.address_map = end.map}};
    CHECK(end.link.step() == link_change::refused);
    CHECK(end.link.refusal() == errc::out_of_memory);
}

// Its rings

// @spec virtio 1.2, 2.7.1; Linux include/linux/remoteproc.h, FW_RSC_ADDR_ANY
// @spec Linux drivers/remoteproc/remoteproc_virtio.c, rp_find_vq()
TEST_CASE("a driver puts rings where the device leaves it to do so", "[bus]")
{
    const auto align = GENERATE(4U, 16U, 64U, 4096U);
    const std::array<bool, 2> is_left{GENERATE(true, false), GENERATE(true, false)};
    constexpr std::array<std::uint32_t, 2> stated{link_memory::base + 0x1000, link_memory::base + 0xE000};
    driver end{buffer_pool{}, 16};
    end.pool.rings = end.piece(0x8004, 0x5000);
    end.link = {end.table, end.pool, {.address_map = end.map}};
    for (std::size_t i = 0; i != 2; ++i) {
        end.table.vdev.vring[i].align = align;
        end.table.vdev.vring[i].da = is_left[i] ? wire::resource_any : stated[i];
    }
    end.link.start();
    REQUIRE(end.link.step() == link_change::came_up);

    const auto at = vring::layout_of(8, align);
    std::array<std::uint32_t, 2> places{};
    for (std::size_t i = 0; i != 2; ++i) {
        places[i] = end.table.vdev.vring[i].da;
        CHECK(places[i] % align == 0);
        if (!is_left[i]) {
            CHECK(places[i] == stated[i]);
            continue;
        }
        CHECK(places[i] >= link_memory::base + 0x8004);
        CHECK(places[i] + at.size <= link_memory::base + 0xD004);
    }
    CHECK((places[1] >= places[0] + at.size || places[0] >= places[1] + at.size));
    CHECK(vring::split{end.start + (places[0] - link_memory::base), at}.avail().idx == 8);

    end.link.give_up();
    CHECK(end.link.step() == link_change::broke_down);
    CHECK(end.link.step() == link_change::came_up);
    CHECK(end.table.vdev.vring[0].da == places[0]);  // where they were
    CHECK(end.table.vdev.vring[1].da == places[1]);
}

TEST_CASE("rings that do not both fit are not made over one another, however often it is tried", "[bus]")
{
    // A ring of 8 takes 230 bytes at an alignment of 16.
    const auto room = GENERATE(0U, 229U, 230U, 459U, 469U);
    driver end{buffer_pool{}, 16};
    end.pool.rings = end.piece(0x8000, room);
    end.link = {end.table, end.pool, {.address_map = end.map}};
    for (auto& ring : end.table.vdev.vring)
        ring.da = wire::resource_any;
    end.link.start();

    CHECK(end.link.step() == link_change::refused);
    CHECK(end.link.refusal() == errc::out_of_memory);
    for (int i = 0; i != 3; ++i) {
        CHECK(end.link.step() == link_change::none);
        CHECK(end.status_now() == virtio::status::failed);
    }
}

TEST_CASE("rings that fit to the byte are made", "[bus]")
{
    driver end{buffer_pool{}, 16};
    end.pool.rings = end.piece(0x8000, 470);  // 230, up to 240, and 230
    end.link = {end.table, end.pool, {.address_map = end.map}};
    for (auto& ring : end.table.vdev.vring)
        ring.da = wire::resource_any;
    end.link.start();
    CHECK(end.link.step() == link_change::came_up);
    CHECK(end.table.vdev.vring[0].da == link_memory::base + 0x8000U);
    CHECK(end.table.vdev.vring[1].da == link_memory::base + 0x80F0U);
}

// @spec virtio 1.2, 2.7.1
TEST_CASE("a ring is aligned as the device sees it", "[bus]")
{
    driver end{buffer_pool{}, 16};
    end.pool.rings = end.piece(0x8000, 0x4000);
    // The two sides' addresses differ in more than whole pages.
    const policy::offset map{std::span{end.start, link_memory::bytes}, 0x3000'0100};
    end.link = {end.table, end.pool, {.address_map = map}};
    for (auto& ring : end.table.vdev.vring) {
        ring.da = wire::resource_any;
        ring.align = 4096;
    }
    end.link.start();
    REQUIRE(end.link.step() == link_change::came_up);
    CHECK(end.table.vdev.vring[0].da % 4096 == 0U);
    CHECK(end.table.vdev.vring[1].da % 4096 == 0U);
}

TEST_CASE("a driver refuses rings that its map puts where no descriptor may lie", "[bus][rule13]")
{
    driver end;
    const auto off = GENERATE(1U, 2U, 3U);
    const policy::offset map{std::span{end.start + off, link_memory::bytes}, link_memory::base};
    end.link = {end.table, end.pool, {.address_map = map}};
    CHECK(end.link.step() == link_change::refused);
    CHECK(end.link.refusal() == errc::misaligned);
}

// @spec virtio 1.2, 3.1.1
TEST_CASE("a driver refuses a table that it cannot use, says so once, and takes a better one", "[bus][rule3]")
{
    driver end;
    const auto good = end.table;
    auto& ring = end.table.vdev.vring[GENERATE(0U, 1U)];
    auto why = errc::bad_ring_size;

    SECTION("a size that is none")
    {
        ring.num = GENERATE(0U, 3U, 12U, 65535U, 0x1'0008U, 0x8000'0000U, 0xFFFF'FFFFU);
    }
    SECTION("larger than the board keeps room for") { ring.num = GENERATE(32U, 32768U); }
    SECTION("an alignment that is none")
    {
        ring.align = GENERATE(0U, 1U, 2U, 3U, 12U, 0x2'0000U, 0x8000'0000U, 0xFFFF'FFFFU);
        why = errc::misaligned;
    }
    SECTION("outside the map")
    {
        ring.da = GENERATE(0U, link_memory::base - 16, link_memory::base + link_memory::bytes, 0xFFFF'FFF0U);
        why = errc::out_of_map;
    }
    SECTION("that ends outside the map")
    {
        ring.da = link_memory::base + link_memory::bytes - 224;
        why = errc::out_of_map;
    }
    SECTION("not aligned as it says")
    {
        ring.da = link_memory::base + 0x3000 + GENERATE(1U, 2U, 4U, 8U);
        why = errc::misaligned;
    }
    SECTION("left to a driver that has no room for rings")
    {
        ring.da = wire::resource_any;
        why = errc::out_of_memory;
    }

    CHECK(end.link.step() == link_change::refused);
    CHECK(end.link.refusal() == why);
    CHECK(end.status_now() == virtio::status::failed);
    CHECK_FALSE(end.link.has_change());
    CHECK(end.link.step() == link_change::none);
    CHECK(end.link.counts[fault::layout_refused] == 1);
    CHECK(end.link.counts.total() == 1);

    end.table = good;  // the firmware was not done with it
    CHECK(end.link.step() == link_change::came_up);
    CHECK(end.link.refusal() == errc{});
    CHECK(end.link.intact());
}

// The device starts over

// @spec virtio 1.2, 2.1.1; virtio 1.2, 2.4
TEST_CASE("a driver answers a device that asks for a reset", "[bus][restart]")
{
    driver end;
    REQUIRE(end.link.step() == link_change::came_up);
    end.ring[0].give_back(0, 20);
    REQUIRE(end.take_tx().why == errc{});

    SECTION("by NEEDS_RESET") { end.status() = std::uint8_t{0x47}; }
    SECTION("because it has written status 0, as OpenAMP does") { end.status() = std::uint8_t{0}; }
    SECTION("because it laid its table out anew") { end.table.vdev.status = std::uint8_t{0}; }
    SECTION("because a status is there that the driver never wrote") { end.status() = std::uint8_t{0xFF}; }

    CHECK_FALSE(end.link.intact());
    CHECK(end.link.has_change());
    CHECK(end.link.step() == link_change::went_down);
    CHECK(end.status_now() == 0);  // to be seen by the device
    CHECK(end.link.step() == link_change::came_up);
    CHECK(end.status_now() == 7);
    CHECK((end.ring[0].avail().idx == 8 && end.ring[0].used().idx == 0));
    CHECK(end.peek_rx().why == errc::empty);
    for (int i = 0; i != 8; ++i)  // all are free again
        CHECK(end.take_tx().why == errc{});
    CHECK(end.take_tx().why == errc::full);
    CHECK(end.link.counts.total() == 0);
}

TEST_CASE("a driver is down while its device is known to be gone, and starts over when it is back",
          "[bus][restart]")
{
    journal log;
    struct knowing : plain_board {
        using lifecycle = testing::recording_lifecycle;
    };
    driver<knowing> end;
    auto peer = end.link.policies.lifecycle;  // copies are told together
    REQUIRE(end.link.step() == link_change::came_up);
    CHECK(end.link.step() == link_change::none);

    SECTION("gone")
    {
        peer.becomes(policy::peer_life::gone);
        CHECK(end.link.has_change());  // who sleeps until there is work wakes for it
        CHECK(end.link.step() == link_change::went_down);
        CHECK(end.status_now() == 0);
        CHECK(end.link.step() == link_change::none);
        CHECK_FALSE(end.link.has_change());  // or it would not sleep
        CHECK(end.status_now() == 0);
        peer.becomes(policy::peer_life::alive);
        CHECK(end.link.step() == link_change::came_up);
    }
    SECTION("restarted")
    {
        peer.becomes(policy::peer_life::restarted);
        CHECK(end.link.has_change());  // who sleeps until there is work wakes for it
        CHECK(end.link.step() == link_change::went_down);
        CHECK(end.link.step() == link_change::came_up);
        CHECK(end.link.step() == link_change::none);
    }
}

// @spec virtio 1.2, 2.4; virtio 1.2, 3.3.1
TEST_CASE("a driver that stops tells the device to let go", "[bus]")
{
    driver end;
    SECTION("of a link that is up")
    {
        REQUIRE(end.link.step() == link_change::came_up);
        end.link.stop();
        CHECK(end.status_now() == 0);
        end.link.start();
        CHECK(end.status_now() == 0);
        CHECK(end.link.step() == link_change::came_up);
    }
    SECTION("of one that never was")
    {
        end.status() = std::uint8_t{7};
        end.link.stop();
        CHECK(end.status_now() == 0);
    }
    SECTION("but does not write where no device is described")
    {
        end.table = {};
        end.status() = std::uint8_t{0x55};
        end.link.stop();
        end.link.start();
        CHECK(end.status_now() == 0x55);
    }
}

// Receiving

// @spec virtio 1.2, 2.7.8.3
TEST_CASE("a driver receives what the device says it wrote, within the buffer", "[bus][R4]")
{
    driver end;
    REQUIRE(end.link.step() == link_change::came_up);
    CHECK(end.peek_rx().why == errc::empty);
    CHECK_FALSE(has_rx(end.link));

    end.ring[0].give_back(5, 21);   // as long as the message
    end.ring[0].give_back(2, 512);  // OpenAMP: as long as the buffer
    CHECK(has_rx(end.link));
    auto got = end.peek_rx();
    CHECK((got.why == errc{} && got.buffer.id == 5 && got.buffer.capacity == 21));
    CHECK(got.buffer.data == end.piece(0x4000 + 5 * 512, 1).data());
    end.link.take_rx(got.buffer);
    got = end.peek_rx();
    CHECK((got.buffer.id == 2 && got.buffer.capacity == 512));
    end.link.take_rx(got.buffer);
    CHECK(end.peek_rx().why == errc::empty);
}

// @spec virtio 1.2, 2.7.8.3
TEST_CASE("a driver does not believe a length beyond its buffer, and posts the buffer again",
          "[bus][rule3][R4][openamp-S4]")
{
    driver end;
    REQUIRE(end.link.step() == link_change::came_up);
    end.ring[0].give_back(3, GENERATE(513U, 65536U, 0xFFFF'FFFFU));
    const auto got = end.peek_rx();
    CHECK(got.why == errc{});
    CHECK(got.buffer.capacity == 0);
    end.link.take_rx(got.buffer);
    end.link.give_rx(got.buffer.id, got.buffer.capacity);
    CHECK(end.ring[0].avail().idx == 9);
    CHECK(end.ring[0].avail_entry(8) == 3);
    CHECK(end.link.intact());
}

TEST_CASE("a received buffer is posted again as it was", "[bus][rule1][rule2]")
{
    driver end;
    REQUIRE(end.link.step() == link_change::came_up);
    end.ring[0].give_back(3, 100);
    const auto got = end.peek_rx();
    end.ring[0].descriptor(3) = {.addr = 1, .len = 2, .flags = 3, .next = 4};  // the device scribbles
    end.link.take_rx(got.buffer);
    end.link.give_rx(got.buffer.id, got.buffer.capacity);
    end.ring[0].give_back(3, 100);
    CHECK(end.peek_rx().buffer.data == got.buffer.data);
    CHECK(end.peek_rx().buffer.capacity == 100);
}

TEST_CASE("a device that gives back what it does not have ends the link", "[bus][rule3][R13][openamp-V1]")
{
    driver end;
    REQUIRE(end.link.step() == link_change::came_up);

    SECTION("on the way to the driver")
    {
        SECTION("no such buffer") { end.ring[0].give_back(GENERATE(8U, 0x1'0000U, 0xFFFF'FFFFU), 20); }
        SECTION("more than all") { end.ring[0].used().idx = 9; }
        SECTION("twice the same")
        {
            end.ring[0].give_back(1, 20);
            end.ring[0].give_back(1, 20);
            end.link.take_rx(end.peek_rx().buffer);
        }
        CHECK(has_rx(end.link));  // whoever sleeps has to wake for it
        CHECK(end.peek_rx().why == errc::protocol);
        end.link.give_up();
        end.link.give_up();
    }
    SECTION("on the way to the device")
    {
        for (int i = 0; i != 8; ++i)
            REQUIRE(end.take_tx().why == errc{});
        end.link.publish_tx(0, 20);
        SECTION("no such buffer") { end.ring[1].give_back(GENERATE(8U, 0x1'0000U, 0xFFFF'FFFFU), 20); }
        SECTION("one that it was not lent") { end.ring[1].give_back(1, 20); }
        SECTION("more than it was lent") { end.ring[1].used().idx = 2; }
        CHECK(end.take_tx().why == errc::protocol);
        CHECK(end.take_tx().why == errc::protocol);
    }
    end.check_given_up();
}

TEST_CASE("a driver that only looks whether it could send notices a broken ring as well", "[bus][rule3]")
{
    driver end;
    REQUIRE(end.link.step() == link_change::came_up);
    for (int i = 0; i != 8; ++i)
        REQUIRE(end.take_tx().why == errc{});
    end.ring[1].used().idx = 1;  // of nothing that it was lent
    CHECK(look_for_tx(end.link) == errc::protocol);
}

TEST_CASE("a driver sees when the device has no buffer left to send in", "[bus][R11]")
{
    driver end{16, 4, 8};
    REQUIRE(end.link.step() == link_change::came_up);
    CHECK_FALSE(end.link.peer_has_none());
    for (std::uint16_t id = 0; id != 4; ++id)
        end.ring[0].give_back(id, 20);
    CHECK(has_rx(end.link));
    CHECK(end.link.peer_has_none());
    const auto got = end.peek_rx();
    end.link.take_rx(got.buffer);
    CHECK(end.link.peer_has_none());
    end.link.give_rx(got.buffer.id, got.buffer.capacity);
    CHECK_FALSE(end.link.peer_has_none());
}

// Sending

TEST_CASE("a driver sends in its buffers in turn and takes them back", "[bus]")
{
    driver end;
    REQUIRE(end.link.step() == link_change::came_up);
    for (std::uint16_t id = 0; id != 8; ++id) {
        CHECK(look_for_tx(end.link, 0) == errc{});
        const auto got = end.take_tx();
        CHECK((got.why == errc{} && got.buffer.id == id && got.buffer.capacity == 512));
        CHECK(got.buffer.data == end.piece(0x4000 + (8 + id) * 512U, 1).data());
    }
    CHECK(end.take_tx().why == errc::full);
    CHECK(look_for_tx(end.link, 0) == errc::full);

    end.link.publish_tx(3, 20);
    end.link.publish_tx(1, 512);
    CHECK(end.ring[1].avail().idx == 2);
    CHECK((end.ring[1].avail_entry(0) == 3 && end.ring[1].avail_entry(1) == 1));
    CHECK(end.take_tx().why == errc::full);

    end.ring[1].give_back(1, 512);
    CHECK(look_for_tx(end.link, 0) == errc{});
    CHECK(end.take_tx().buffer.id == 1);
    CHECK(end.take_tx().why == errc::full);
}

TEST_CASE("a driver keeps buffers back where the sender says so, and parked ones count", "[bus]")
{
    driver end{10};  // two to send in
    REQUIRE(end.link.step() == link_change::came_up);
    const auto first = end.take_tx(1);
    CHECK(first.why == errc{});
    CHECK(look_for_tx(end.link, 1) == errc::full);
    CHECK(end.take_tx(1).why == errc::full);
    CHECK(end.take_tx(0).buffer.id == 1);
    end.link.park_tx(first.buffer.id);
    CHECK(end.ring[1].avail().idx == 0);  // nothing is published for it
    CHECK(end.take_tx(1).why == errc::full);
    CHECK(end.take_tx(0).buffer.id == first.buffer.id);
}

TEST_CASE("a driver keeps to its own descriptors whatever the device makes of them",
          "[bus][rule1][rule2][openamp-S6]")
{
    driver end;
    REQUIRE(end.link.step() == link_change::came_up);
    for (int i = 0; i != 8; ++i)
        REQUIRE(end.take_tx().why == errc{});
    end.link.publish_tx(4, 20);
    end.ring[1].descriptor(4) = {.addr = 0xFFFF'FFFF, .len = 0, .flags = 0xFFFF, .next = 0xFFFF};
    end.ring[1].give_back(4, 0);  // a length of 0 is no reason to believe that it has shrunk
    const auto got = end.take_tx();
    CHECK(got.buffer.id == 4);
    CHECK(got.buffer.capacity == 512);
    CHECK(got.buffer.data == end.piece(0x4000 + 12 * 512, 1).data());
}
