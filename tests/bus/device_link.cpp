#include <rpmsg/bus/device_link.hpp>

#include <rpmsg/testing/journal.hpp>
#include <rpmsg/testing/recording_board.hpp>

#include "bus/link_memory.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

using namespace rpmsg;
using testing::event;
using testing::journal;
using virtio::resource_table;
using wire::avail_no_interrupt;
using wire::used_no_notify;

namespace {

/// A device whose driver is the test.
template <typename Board = plain_board>
struct device : link_memory {
    device_link<Board, resource_table> link;

    using link_memory::link_memory;
    explicit device(std::uint16_t to_driver = 8, std::uint16_t to_device = 8, std::uint32_t features = 1)
        : link_memory{to_driver, to_device, features},
          link{table, {.address_map = typename Board::address_map{map}}}
    {
        link.start();
    }

    /// As after a driver's start that went well.
    void come_up()
    {
        driver_starts();
        REQUIRE(link.step() == link_change::came_up);
    }

    answer take_tx(unsigned keep = 0) { return next_buffer(link, keep); }
    answer peek_rx() { return next_message(link); }

    /// It was given up: it says so once, asks for a reset, and comes back when the driver did it.
    void check_given_up()
    {
        CHECK(link.has_change());
        CHECK(link.step() == link_change::broke_down);
        CHECK(link.counts[fault::ring_broken] == 1);
        CHECK(status_now() == 0x47);
        CHECK(link.step() == link_change::none);
        CHECK_FALSE(link.has_change());
        driver_starts();
        CHECK(link.has_change());
        CHECK(link.step() == link_change::came_up);
        CHECK(link.intact());
    }
};

constexpr auto tx = policy::vring_id::to_driver;
constexpr auto rx = policy::vring_id::to_device;

}  // namespace

// Coming up

// @spec virtio 1.2, 2.1.2
TEST_CASE("a device touches nothing before the driver says DRIVER_OK", "[bus][R7]")
{
    device end;
    end.make_rings();
    end.ring[0].used().idx = 99;
    end.table.vdev.vring[1].num = 0;
    const auto before = end.copy();

    for (const auto status : statuses{0x00, 0x01, 0x03, 0x0B, 0x80, 0x83, 0x40, 0x43, 0xFB}) {
        end.status() = status;
        CHECK_FALSE(end.link.has_change());
        CHECK(end.link.step() == link_change::none);
        end.status() = std::uint8_t{0};
        CHECK(end.copy() == before);
    }
}

TEST_CASE("a device comes up when the driver has made the rings and posted its buffers", "[bus]")
{
    device end;
    CHECK(end.link.longest() == 0);
    end.driver_starts();
    CHECK(end.link.has_change());
    CHECK(end.link.step() == link_change::came_up);

    CHECK(end.link.intact());
    CHECK_FALSE(end.link.has_change());
    CHECK(end.link.step() == link_change::none);
    CHECK(end.link.longest() == 496);
    CHECK(end.link.features() == policy::feature::name_service);
    CHECK(end.link.refusal() == errc{});
    CHECK(end.link.counts.total() == 0);
    CHECK(end.status_now() == 7);

    // Nobody waits for buffers yet, so a doorbell for each would be too many.
    CHECK(end.ring[0].used().flags == used_no_notify);
    CHECK(end.ring[1].used().flags == 0);
    CHECK(end.ring[0].used().idx == 0);
    CHECK(end.ring[1].used().idx == 0);
}

namespace {

struct polled : plain_board {
    static constexpr auto inbound = policy::inbound::polled;
};

}  // namespace

TEST_CASE("a device that polls tells the driver once that it needs no doorbell", "[bus]")
{
    device<polled> end;
    end.come_up();
    CHECK(end.ring[0].used().flags == used_no_notify);
    CHECK(end.ring[1].used().flags == used_no_notify);
}

TEST_CASE("a driver that has posted nothing yet is waited for", "[bus]")
{
    device end;
    end.driver_starts();
    for (const auto& ring : end.ring)
        ring.zero();
    CHECK(end.link.step() == link_change::none);
    CHECK(end.link.step() == link_change::none);
    CHECK(end.link.counts.total() == 0);
    CHECK(end.status_now() == 7);

    end.post(0, end.buffer(0), 512);
    CHECK(end.link.step() == link_change::came_up);
    CHECK(end.take_tx().buffer.id == 0);
}

TEST_CASE("the room for a payload is what the first posted buffer shows", "[bus][R3]")
{
    device end;
    end.driver_starts();
    end.ring[0].zero();
    end.post(3, end.buffer(0), 100);
    end.post(0, end.buffer(1), 2048);
    REQUIRE(end.link.step() == link_change::came_up);
    CHECK(end.link.longest() == 84);
    CHECK((end.take_tx().buffer.id == 3));  // looking at it used nothing up
    CHECK((end.take_tx().buffer.capacity == 2048));
}

// @spec virtio 1.2, 2.2; virtio 1.2, 6
TEST_CASE("a device uses the features that the driver accepted and its dialect has, and no others",
          "[bus][R16]")
{
    struct with_events : plain_board {
        using dialect = policy::with_event_idx<policy::linux_kernel>;
    };
    constexpr auto all = 0xFFFF'FFFF;
    constexpr auto both = policy::feature::name_service | policy::feature::event_idx;

    SECTION("its dialect has the name service only")
    {
        device end{8, 8, all};
        end.come_up();
        CHECK(end.link.features() == policy::feature::name_service);
        CHECK(end.ring[0].used().flags == used_no_notify);  // by flags, not by an event index
    }
    SECTION("its dialect has event indices too")
    {
        device<with_events> end{8, 8, all};
        end.come_up();
        CHECK(end.link.features() == both);
        CHECK(end.ring[0].used().flags == 0);
    }
    SECTION("the driver took nothing")
    {
        device<with_events> end{8, 8, 0};
        end.come_up();
        CHECK(end.link.features() == 0);
        CHECK(end.ring[0].used().flags == used_no_notify);
    }
}

TEST_CASE("the two rings may differ in size", "[bus]")
{
    device end{2, 16};
    end.come_up();
    CHECK(end.link.tx().count() == 2);
    CHECK(end.link.rx().count() == 16);
    CHECK(end.take_tx().why == errc{});
    CHECK(end.take_tx().why == errc{});
    CHECK(end.take_tx().why == errc::full);

    for (std::uint16_t id = 0; id != 16; ++id)
        end.send(id, end.buffer(id), 512);
    for (std::uint16_t id = 0; id != 16; ++id) {
        const auto got = end.peek_rx();
        REQUIRE(got.why == errc{});
        CHECK(got.buffer.id == id);
        end.link.take_rx(got.buffer);
    }
    CHECK(end.peek_rx().why == errc::empty);
}

namespace {

struct with_id : plain_board {
    struct doorbell : policy::doorbell_defaults {
        static constexpr bool carries_queue_id = true;
        void ring(policy::vring_id /*which*/, std::uint32_t /*notify_id*/) noexcept {}
    };
};

}  // namespace

TEST_CASE("a doorbell that carries an id carries the one of the table", "[bus]")
{
    device<with_id> end;
    end.come_up();
    CHECK(end.link.notify_id(tx) == 70);
    CHECK(end.link.notify_id(rx) == 71);
}

TEST_CASE("also the doorbell of a device that asks for a reset carries it", "[bus][restart]")
{
    device<with_id> end;
    end.driver_starts();
    end.ring[0].used().idx = std::uint16_t{1};  // somebody was here before
    CHECK(end.link.step() == link_change::asked_for_reset);
    CHECK(end.link.notify_id(tx) == 70);
}

// Rings that cannot be used

// @spec virtio 1.2, 2.7; virtio 1.2, 2.7.1
TEST_CASE("a device refuses rings that it cannot use, says so once, and takes better ones", "[bus][rule3]")
{
    device end;
    end.driver_starts();
    const auto good = end.table;
    auto& ring = end.table.vdev.vring[GENERATE(0U, 1U)];
    const bool reset_is_seen = GENERATE(false, true);
    auto why = errc::bad_ring_size;

    SECTION("of a size that is none")
    {
        ring.num = GENERATE(0U, 3U, 7U, 12U, 65535U, 0x8000'0001U, 0xFFFF'FFFFU);
    }
    SECTION("of a size that wraps in 16 bits") { ring.num = GENERATE(0x1'0000U, 0x1'0008U, 0x8000'0000U); }
    SECTION("larger than the board keeps room for") { ring.num = GENERATE(32U, 256U, 32768U); }
    SECTION("with an alignment that is none")
    {
        ring.align = GENERATE(0U, 1U, 2U, 3U, 5U, 12U, 24U, 0x2'0000U, 0x8000'0000U, 0xFFFF'FFFFU);
        why = errc::misaligned;
    }
    SECTION("that begin before the map")
    {
        ring.da = GENERATE(0U, 0x1000U, link_memory::base - 16);
        why = errc::out_of_map;
    }
    SECTION("that begin behind the map")
    {
        ring.da = GENERATE(link_memory::base + link_memory::bytes, 0x9000'0000U, 0xFFFF'FFF0U);
        why = errc::out_of_map;
    }
    SECTION("that end outside the map")
    {
        ring.da = link_memory::base + link_memory::bytes - 224;  // a ring of 8 takes 230 bytes
        why = errc::out_of_map;
    }
    SECTION("that end outside because of their alignment")
    {
        ring.align = 0x1'0000;
        ring.da = link_memory::base;
        why = errc::out_of_map;
    }
    SECTION("that are not aligned as they say")
    {
        ring.da = link_memory::base + 0x3000 + GENERATE(1U, 2U, 4U, 8U, 12U);
        why = errc::misaligned;
    }
    SECTION("whose place nobody chose")
    {
        ring.da = wire::resource_any;
        why = errc::out_of_map;
    }

    const auto before = end.copy();
    CHECK(end.link.step() == link_change::refused);
    CHECK(end.link.refusal() == why);
    CHECK(end.link.counts[fault::layout_refused] == 1);
    CHECK(end.link.counts.total() == 1);
    CHECK(end.status_now() == 7);
    CHECK_FALSE(end.link.has_change());  // or a device that sleeps until there is work would not sleep
    CHECK(end.link.step() == link_change::none);
    CHECK(end.link.counts.total() == 1);
    // The rings were at most marked, and nothing else was written.
    auto now = end.copy();
    const auto mark_at = link_memory::ring_at[0] + vring::layout_of(8, link_memory::align).avail_event;
    now[mark_at] = before[mark_at];
    now[mark_at + 1] = before[mark_at + 1];
    CHECK(now == before);

    if (reset_is_seen) {  // Linux rings nobody's doorbell for it
        end.status() = std::uint8_t{0};
        CHECK(end.link.step() == link_change::none);
        CHECK(end.link.refusal() == errc{});
    }
    end.table = good;
    end.driver_starts();
    CHECK(end.link.step() == link_change::came_up);
    CHECK(end.link.refusal() == errc{});
    CHECK(end.link.intact());
}

TEST_CASE("a device refuses rings that its map puts where no descriptor may lie", "[bus][rule13]")
{
    device end;
    const auto off = GENERATE(1U, 2U, 3U);
    const policy::offset map{std::span{end.start + off, link_memory::bytes}, link_memory::base};
    end.link = {resource_table{end.table}, {.address_map = map}};
    end.link.start();
    end.driver_starts();
    CHECK(end.link.step() == link_change::refused);
    CHECK(end.link.refusal() == errc::misaligned);
}

TEST_CASE("a device whose ring size is fixed takes no other", "[bus]")
{
    struct fixed : plain_board {
        using ring = policy::ring_of<8>;
    };
    const auto num = GENERATE(4, 8, 16);
    device<fixed> end{8, static_cast<std::uint16_t>(num)};
    end.driver_starts();
    CHECK(end.link.step() == (num == 8 ? link_change::came_up : link_change::refused));
    CHECK(end.link.refusal() == (num == 8 ? errc{} : errc::bad_ring_size));
}

TEST_CASE("a device whose ring alignment is fixed takes no other", "[bus]")
{
    struct fixed : plain_board {
        using ring = policy::ring_of<8, link_memory::align>;
    };
    const auto align = GENERATE(link_memory::align / 2, link_memory::align, link_memory::align * 2);
    device<fixed> end;
    end.table.vdev.vring[0].align = align;
    end.driver_starts();
    const bool is_ours = align == link_memory::align;
    CHECK(end.link.step() == (is_ours ? link_change::came_up : link_change::refused));
    CHECK(end.link.refusal() == (is_ours ? errc{} : errc::misaligned));
}

TEST_CASE("a device refuses to start on a first buffer that cannot be repaired", "[bus][rule3]")
{
    device end;
    end.driver_starts();
    end.ring[0].zero();

    SECTION("too small for a header") { end.post(0, end.buffer(0), GENERATE(0U, 1U, 15U)); }
    SECTION("outside the map")
    {
        end.post(0, GENERATE(0ULL, 0x1'2000'4000ULL, 0xFFFF'FFFF'FFFF'FFF0ULL), 512);
    }
    SECTION("that ends outside the map") { end.post(0, link_memory::base + link_memory::bytes - 511, 512); }
    SECTION("longer than all the map") { end.post(0, end.buffer(0), 0xFFFF'FFFF); }
    SECTION("more than a lap ahead") { end.ring[0].avail().idx = 9; }

    CHECK(end.link.step() == link_change::refused);
    CHECK(end.link.refusal() != errc{});
    CHECK_FALSE(end.link.has_change());
    CHECK(end.link.step() == link_change::none);
    CHECK(end.link.counts[fault::layout_refused] == 1);
    CHECK(end.link.longest() <= link_memory::bytes);

    end.driver_starts();
    CHECK(end.link.step() == link_change::came_up);
}

TEST_CASE("a buffer of exactly a header, at the very end of the map, will do", "[bus]")
{
    device end;
    end.driver_starts();
    end.ring[0].zero();
    end.post(0, link_memory::base + link_memory::bytes - 16, 16);
    CHECK(end.link.step() == link_change::came_up);
    CHECK(end.link.longest() == 0);
}

TEST_CASE("entries that name no descriptor are skipped also at the start", "[bus][rule3][openamp-V1]")
{
    device end;
    end.driver_starts();
    end.ring[0].zero();
    for (int i = 0; i != 3; ++i)
        end.ring[0].publish(8);
    end.post(5, end.buffer(5), 512);
    CHECK(end.link.step() == link_change::came_up);
    CHECK(end.link.counts[fault::bad_descriptor] == 3);
    CHECK(end.take_tx().buffer.id == 5);
}

// Rings that somebody used before

// @spec virtio 1.2, 2.1.2
TEST_CASE("a device never goes on in the middle of rings, and asks for a reset", "[bus][restart]")
{
    device end;
    end.driver_starts();
    const auto which = GENERATE(0U, 1U);
    end.ring[which].used().idx = GENERATE(values<std::uint16_t>({1, 8, 0xFFFF}));
    const auto before = end.ring[1].used().idx.get();

    CHECK(end.link.step() == link_change::asked_for_reset);
    CHECK(end.status_now() == 0x47);
    CHECK(end.link.counts.total() == 0);
    CHECK(end.link.refusal() == errc{});
    for (int i = 0; i != 3; ++i) {  // until the driver answers
        CHECK_FALSE(end.link.has_change());
        CHECK(end.link.step() == link_change::none);
    }
    CHECK(end.status_now() == 0x47);
    CHECK(end.ring[1].used().idx == before);

    SECTION("the driver resets, and the device sees each step")
    {
        for (const auto status : statuses{0, 1, 3}) {
            end.status() = status;
            CHECK(end.link.step() == link_change::none);
        }
    }
    SECTION("the driver resets, and the device is asleep until it is done: Linux rings nothing at status 0")
    {}
    end.driver_starts();
    CHECK(end.link.has_change());
    CHECK(end.link.step() == link_change::came_up);
}

TEST_CASE("a driver that takes the wish for a reset away without one is asked again", "[bus][restart]")
{
    device end;
    end.driver_starts();
    end.ring[1].used().idx = 5;
    REQUIRE(end.link.step() == link_change::asked_for_reset);
    end.status() = std::uint8_t{7};  // the rings are as they were
    CHECK(end.link.step() == link_change::asked_for_reset);
    CHECK(end.status_now() == 0x47);
}

// @spec rpmsg-lite lib/rpmsg_lite/rpmsg_lite.c, rpmsg_lite_master_init()
TEST_CASE("a used ring that rpmsg-lite filled before it started is fresh", "[bus][R6]")
{
    struct lite : plain_board {
        using dialect = policy::rpmsg_lite;
    };
    SECTION("on the ring to the device, all of it")
    {
        device<lite> end;
        end.driver_starts();
        end.ring[1].used().idx = 8;
        CHECK(end.link.step() == link_change::came_up);
        end.send(0, end.buffer(0), 20);
        const auto got = end.peek_rx();
        REQUIRE(got.why == errc{});
        end.link.take_rx(got.buffer);
        end.link.give_rx(got.buffer.id, got.buffer.capacity);
        CHECK(end.ring[1].used().idx == 9);
    }
    SECTION("not a part of it")
    {
        device<lite> end;
        end.driver_starts();
        end.ring[1].used().idx = GENERATE(values<std::uint16_t>({7, 9, 16}));
        CHECK(end.link.step() == link_change::asked_for_reset);
    }
    SECTION("not on the ring to the driver")
    {
        device<lite> end;
        end.driver_starts();
        end.ring[0].used().idx = 8;
        CHECK(end.link.step() == link_change::asked_for_reset);
    }
    SECTION("not Linux's")
    {
        device end;
        end.driver_starts();
        end.ring[1].used().idx = 8;
        CHECK(end.link.step() == link_change::asked_for_reset);
    }
}

// The driver starts over

// @spec virtio 1.2, 2.4.1
TEST_CASE("a device notices that the driver began anew", "[bus][restart]")
{
    device end;
    end.come_up();
    auto now = link_change::came_up;  // what the step after that brings

    SECTION("by a status without DRIVER_OK")
    {
        end.status() = GENERATE(values<std::uint8_t>({0, 1, 3, 0x80, 0x83}));
        now = link_change::none;
    }
    SECTION("by NEEDS_RESET, which OpenAMP's driver sets")
    {
        end.status() = std::uint8_t{0x47};
        now = link_change::none;
    }
    SECTION("by a ring that moved")
    {
        const auto which = GENERATE(0U, 1U);
        end.table.vdev.vring[which].da = link_memory::base + 0x3000;
        if (which == 0)
            now = link_change::asked_for_reset;  // the other one still has our mark
    }
    SECTION("by a used index that is not its own")
    {
        end.ring[GENERATE(0U, 1U)].used().idx = 3;
        now = link_change::asked_for_reset;
    }
    SECTION("by marks that are gone")
    {
        for (const auto& ring : end.ring)
            ring.parts.avail_event(8) = 0;
    }
    SECTION("although all is done again when it looks") { end.driver_starts(); }

    CHECK_FALSE(end.link.intact());
    CHECK(end.link.has_change());
    CHECK(end.link.step() == link_change::went_down);
    CHECK((end.status_now() & 0x40) == (now == link_change::none ? end.status() & 0x40 : 0));
    CHECK(end.link.step() == now);
    CHECK(end.link.counts.total() == 0);
}

TEST_CASE("a device that came back takes from the first entry on and knows no old buffers", "[bus][restart]")
{
    device end;
    end.come_up();
    REQUIRE(end.take_tx().buffer.id == 0);
    const auto parked = end.take_tx();
    end.link.park_tx(parked.buffer.id);
    end.link.publish_tx(0, 20);
    end.send(4, end.buffer(12), 30);
    REQUIRE(end.peek_rx().why == errc{});
    end.link.take_rx(end.peek_rx().buffer);

    end.driver_starts();
    CHECK(end.link.step() == link_change::went_down);
    CHECK(end.link.step() == link_change::came_up);
    for (std::uint16_t id = 0; id != 8; ++id)
        CHECK(end.take_tx().buffer.id == id);
    CHECK(end.take_tx().why == errc::full);
    CHECK(end.peek_rx().why == errc::empty);
    CHECK(end.ring[0].used().idx == 0);
}

TEST_CASE("looking for a restart changes nothing", "[bus][restart][rule1]")
{
    device end;
    end.come_up();
    const auto before = end.copy();
    CHECK(end.link.intact());
    CHECK_FALSE(end.link.has_change());
    CHECK(end.link.step() == link_change::none);
    CHECK(end.copy() == before);
}

TEST_CASE(
    "a device that stops leaves the rings to the driver, and one that starts again does not go on there",
    "[bus][restart]")
{
    device end;
    end.come_up();
    SECTION("although nothing was sent")
    {
        const auto before = end.copy();
        end.link.stop();
        CHECK(end.copy() == before);
        end.link.start();
        CHECK(end.link.step() == link_change::asked_for_reset);
    }
    SECTION("something was sent")
    {
        end.link.publish_tx(end.take_tx().buffer.id, 20);
        const auto before = end.copy();
        end.link.stop();
        CHECK(end.copy() == before);
        end.link.start();
        CHECK(end.link.step() == link_change::asked_for_reset);
        end.driver_starts();
        CHECK(end.link.step() == link_change::came_up);
    }
}

// Receiving

TEST_CASE("a message arrives with the room that its buffer has", "[bus][R3]")
{
    device end;
    end.come_up();
    CHECK(end.peek_rx().why == errc::empty);
    CHECK_FALSE(has_rx(end.link));

    end.send(6, end.buffer(10), 16 + 5);  // Linux: as long as the message
    end.send(2, end.buffer(11), 512);     // OpenAMP: as long as the buffer
    CHECK(has_rx(end.link));
    auto got = end.peek_rx();
    CHECK((got.why == errc{} && got.buffer.id == 6));
    CHECK(got.buffer.capacity == 21);
    CHECK(got.buffer.data == end.piece(link_memory::buffers_at + 10 * 512, 1).data());
    end.link.take_rx(got.buffer);

    got = end.peek_rx();
    CHECK((got.buffer.id == 2 && got.buffer.capacity == 512));
    end.link.take_rx(got.buffer);
    CHECK(end.peek_rx().why == errc::empty);
    CHECK_FALSE(has_rx(end.link));
}

// @spec OpenAMP lib/rpmsg/rpmsg_virtio.c, rpmsg_virtio_return_buffer()
TEST_CASE("a buffer is given back with the length that it had", "[bus][rule4][R1]")
{
    device end;
    end.come_up();
    end.send(6, end.buffer(10), 21);
    end.send(2, end.buffer(11), 512);
    for (int i = 0; i != 2; ++i) {
        const auto got = end.peek_rx();
        end.link.take_rx(got.buffer);
        end.ring[1].descriptor(got.buffer.id).len = 7;  // too late
        end.link.give_rx(got.buffer.id, got.buffer.capacity);
    }
    CHECK(end.ring[1].used().idx == 2);
    CHECK((end.ring[1].used_entry(0).id == 6U && end.ring[1].used_entry(0).len == 21U));
    CHECK((end.ring[1].used_entry(1).id == 2U && end.ring[1].used_entry(1).len == 512U));
}

TEST_CASE("a message whose buffer is nowhere has no address, and can be given back",
          "[bus][rule3][openamp-V4]")
{
    device end;
    end.come_up();

    SECTION("outside the map") { end.send(3, GENERATE(0ULL, 0x2001'0000ULL, 0x1'2000'4000ULL, ~0ULL), 100); }
    SECTION("that ends outside the map") { end.send(3, link_memory::base + link_memory::bytes - 99, 100); }
    SECTION("that wraps") { end.send(3, ~0ULL - 50, 100); }
    SECTION("longer than the map") { end.send(3, end.buffer(0), GENERATE(0xC001U, 0xFFFF'FFFFU)); }

    const auto got = end.peek_rx();
    REQUIRE(got.why == errc{});
    CHECK(got.buffer.data == nullptr);
    CHECK(got.buffer.id == 3);
    const auto length = end.ring[1].descriptor(3).len.get();
    CHECK(got.buffer.capacity == length);
    end.link.take_rx(got.buffer);
    end.link.give_rx(got.buffer.id, got.buffer.capacity);
    CHECK((end.ring[1].used_entry(0).id == 3U && end.ring[1].used_entry(0).len == length));

    end.send(4, end.buffer(0), 50);  // the drain goes on
    CHECK(end.peek_rx().buffer.capacity == 50);
}

TEST_CASE("a message too short for a header arrives as it is", "[bus][rule3][openamp-V6]")
{
    device end;
    end.come_up();
    end.send(0, end.buffer(0), GENERATE(0U, 1U, 15U));
    const auto got = end.peek_rx();
    CHECK(got.why == errc{});
    CHECK(got.buffer.capacity < sizeof(wire::header));
}

TEST_CASE("what else a driver breaks on its way to the device is an error of its kind", "[bus][rule3]")
{
    device end;
    end.come_up();
    SECTION("an entry that names nothing is skipped")
    {
        end.ring[1].publish(8);
        CHECK(has_rx(end.link));
        CHECK(end.peek_rx().why == errc::malformed);
        CHECK(end.peek_rx().why == errc::empty);
        CHECK(end.link.intact());
    }
    SECTION("more than a lap is the end of the link")
    {
        end.ring[1].avail().idx = 9;
        CHECK(has_rx(end.link));  // whoever sleeps has to wake for it
        CHECK(end.peek_rx().why == errc::protocol);
        end.link.give_up();
        end.link.give_up();
        end.check_given_up();
    }
}

TEST_CASE("a device sees when every buffer of the driver's is with it", "[bus][R11]")
{
    device end{8, 4};
    end.come_up();
    CHECK_FALSE(end.link.peer_has_none());
    for (std::uint16_t id = 0; id != 3; ++id)
        end.send(id, end.buffer(id), 100);
    REQUIRE(end.peek_rx().why == errc{});
    CHECK_FALSE(end.link.peer_has_none());

    end.send(3, end.buffer(3), 100);
    CHECK(has_rx(end.link));
    CHECK(end.link.peer_has_none());  // all wait
    auto got = end.peek_rx();
    end.link.take_rx(got.buffer);
    CHECK(end.link.peer_has_none());  // one is here, the others wait
    end.link.give_rx(got.buffer.id, got.buffer.capacity);
    CHECK_FALSE(end.link.peer_has_none());
}

// Sending

// @spec virtio 1.2, 2.7.8.2; Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_recv_single()
TEST_CASE("a message is published with its own length", "[bus][rule4][R2]")
{
    device end;
    end.come_up();
    const auto first = end.take_tx();
    CHECK((first.why == errc{} && first.buffer.id == 0 && first.buffer.capacity == 512));
    CHECK(first.buffer.data == end.piece(link_memory::buffers_at, 1).data());
    const auto second = end.take_tx();

    end.link.publish_tx(second.buffer.id, 16);
    end.link.publish_tx(first.buffer.id, 16 + 496);
    CHECK(end.ring[0].used().idx == 2);
    CHECK((end.ring[0].used_entry(0).id == 1U && end.ring[0].used_entry(0).len == 16U));
    CHECK((end.ring[0].used_entry(1).id == 0U && end.ring[0].used_entry(1).len == 512U));
}

TEST_CASE("a device that has used all buffers waits for the driver", "[bus]")
{
    device end;
    end.come_up();
    for (std::uint16_t id = 0; id != 8; ++id) {
        CHECK(look_for_tx(end.link, 0) == errc{});
        CHECK(end.take_tx().buffer.id == id);
    }
    CHECK(end.take_tx().why == errc::full);
    CHECK(look_for_tx(end.link, 0) == errc::full);

    for (std::uint16_t id = 0; id != 8; ++id)
        end.link.publish_tx(id, 20);
    CHECK(end.take_tx().why == errc::full);
    end.ring[0].publish(5);
    CHECK(look_for_tx(end.link, 0) == errc{});
    CHECK(end.take_tx().buffer.id == 5);
    CHECK(end.link.intact());
}

TEST_CASE("buffers are kept back where the sender says so", "[bus]")
{
    device end{4};
    end.come_up();
    CHECK(end.take_tx(1).why == errc{});
    CHECK(end.take_tx(1).why == errc{});
    CHECK(end.take_tx(1).why == errc{});
    CHECK(look_for_tx(end.link, 1) == errc::full);
    CHECK(look_for_tx(end.link, 0) == errc{});
    CHECK(end.take_tx(1).why == errc::full);
    const auto last = end.take_tx(0);
    CHECK(last.why == errc{});
    end.link.park_tx(last.buffer.id);
    CHECK(end.take_tx(1).why == errc::full);  // a parked one counts
    CHECK(end.take_tx(0).buffer.id == last.buffer.id);
}

TEST_CASE("a parked buffer is the next one taken, and is looked at again", "[bus][rule1][rule3]")
{
    device end;
    end.come_up();
    const auto first = end.take_tx();
    const auto second = end.take_tx();
    end.link.park_tx(first.buffer.id);
    end.link.park_tx(second.buffer.id);
    CHECK(end.ring[0].used().idx == 0);  // nothing is published for it
    CHECK(end.take_tx().buffer.id == second.buffer.id);

    SECTION("it is as it was")
    {
        CHECK(end.take_tx().buffer.id == first.buffer.id);
        CHECK(end.take_tx().buffer.id == 2);
    }
    SECTION("the driver has moved it")
    {
        end.ring[0].descriptor(first.buffer.id) = {.addr = end.buffer(20), .len = 64, .flags = 0, .next = 0};
        const auto again = end.take_tx();
        CHECK(again.buffer.data == end.piece(link_memory::buffers_at + 20 * 512, 1).data());
        CHECK(again.buffer.capacity == 64);
    }
    SECTION("the driver has moved it out of the map")
    {
        end.ring[0].descriptor(first.buffer.id).addr = 0;
        CHECK(end.take_tx().why == errc::out_of_map);
        end.check_given_up();
    }
}

TEST_CASE("a buffer to send in that cannot be repaired ends the link", "[bus][rule3][openamp-V4][openamp-V6]")
{
    device end;
    end.come_up();
    auto& bad = end.ring[0].descriptor(1);
    REQUIRE(end.take_tx().why == errc{});

    SECTION("too small for a header") { bad.len = GENERATE(0U, 1U, 15U); }
    SECTION("outside the map") { bad.addr = GENERATE(0ULL, 0x2001'0000ULL, 0x1'2000'4000ULL, ~0ULL); }
    SECTION("that ends outside the map") { bad.addr = link_memory::base + link_memory::bytes - 511; }
    SECTION("longer than the map") { bad.len = 0xFFFF'FFFF; }
    CHECK(end.take_tx().why == errc::out_of_map);
    CHECK(end.take_tx().why != errc{});
    CHECK(end.ring[0].used().idx == 0);  // the driver's buffers are not used up by it
    end.check_given_up();
}

TEST_CASE("a driver that posts more than it has ends the link", "[bus][rule3]")
{
    device end;
    end.come_up();
    for (int i = 0; i != 8; ++i)
        REQUIRE(end.take_tx().why == errc{});
    SECTION("a lap and one") { end.ring[0].avail().idx = 17; }
    SECTION("one more than it got back") { end.ring[0].avail().idx = 9; }
    CHECK(end.take_tx().why == errc::protocol);
    end.check_given_up();
}

TEST_CASE("a sender skips entries that name nothing and takes the next good one", "[bus][rule3][openamp-V1]")
{
    device end;
    end.come_up();
    for (int i = 0; i != 8; ++i)
        end.link.publish_tx(end.take_tx().buffer.id, 20);
    end.ring[0].publish(8);
    end.ring[0].publish(0xFFFF);
    end.ring[0].publish(3);
    CHECK(end.take_tx().buffer.id == 3);
    CHECK(end.link.counts[fault::bad_descriptor] == 2);
    CHECK(end.take_tx().why == errc::full);
    CHECK(end.link.intact());
}

TEST_CASE("a driver that publishes nonsense faster than it is skipped does not hold a sender for ever",
          "[bus][rule3]")
{
    struct recorded : plain_board {
        using coherence = testing::recording_coherence;
    };
    journal log;
    device<recorded> end;
    end.come_up();
    for (int i = 0; i != 8; ++i)
        end.link.publish_tx(end.take_tx().buffer.id, 20);
    int laps = 0;
    log.when(event::load_acquire, [&] {
        if (++laps < 100)
            for (int i = 0; i != 8; ++i)
                end.ring[0].publish(99);
    });

    CHECK(end.take_tx().why != errc{});
    CHECK(laps <= 3);
    CHECK(end.link.counts[fault::bad_descriptor] <= 16);
}

TEST_CASE("a buffer longer than a header can tell of is used as far as it can", "[bus][rule4]")
{
    device end;
    end.driver_starts();
    end.ring[0].zero();
    struct large {
        std::vector<std::byte> memory = std::vector<std::byte>(0x4'0000);
    } outside;
    end.link.policies.address_map = policy::offset{outside.memory, 0x1000'0000};
    end.table.vdev.vring[0].da = 0x1000'0000;
    end.table.vdev.vring[1].da = 0x1000'1000;
    const auto at = vring::layout_of(8, link_memory::align);
    const ring_hand ring{vring::split{outside.memory.data(), at}, 8, {}};
    for (std::uint16_t id = 0; id != 2; ++id) {
        ring.descriptor(id) = {.addr = 0x1000'8000, .len = 0x2'0000 + id, .flags = 0, .next = 0};
        ring.publish(id);
    }

    REQUIRE(end.link.step() == link_change::came_up);
    CHECK(end.link.longest() == wire::longest_payload);
    CHECK(end.take_tx().buffer.capacity == 65535);
    CHECK(end.take_tx().buffer.capacity == 65535);
}

// The order of it

TEST_CASE("a device looks at what the driver made only after it saw DRIVER_OK", "[bus][order][R7]")
{
    journal log;
    struct recorded : testing::recording_board {
        using ring = policy::ring_up_to<16>;
    };
    device<recorded> end;
    end.driver_starts();
    log.clear();
    REQUIRE(end.link.step() == link_change::came_up);

    INFO(log);
    // Loads of another kind of memory may overtake the load of the status: a barrier holds them back.
    CHECK(log.has_in_order({{event::invalidate, &end.status()},
                            {event::full_barrier},
                            {event::invalidate, &end.table.vdev.gfeatures},
                            {event::load_relaxed, &end.ring[0].used().idx},
                            {event::load_acquire, &end.ring[0].avail().idx}}));
    std::size_t before_barrier = 0;
    for (const auto& entry : log.entries()) {
        if (entry.what == event::full_barrier)
            break;
        before_barrier += entry.what == event::invalidate ? 1U : 0U;
    }
    CHECK(before_barrier == 1);
}

TEST_CASE("a ring that moves while a device comes up is noticed", "[bus][restart][rule1]")
{
    journal log;
    struct recorded : plain_board {
        using coherence = testing::recording_coherence;
    };
    device<recorded> end;
    end.driver_starts();
    // The driver starts over between two looks of the device's at the same field.
    auto& da = end.table.vdev.vring[0].da;
    log.clear();
    int looks = 0;
    log.when(event::invalidate, [&] {
        if (log.count({event::invalidate, &da}) == 1 && looks++ == 0) {
            end.hand(0x3000, 8).zero();
            da = link_memory::base + 0x3000;
            end.hand(0x3000, 8).descriptor(0) = end.ring[0].descriptor(0);
            end.hand(0x3000, 8).publish(0);
        }
    });

    REQUIRE(end.link.step() == link_change::came_up);
    if (end.take_tx().buffer.data != nullptr) {
        end.link.publish_tx(0, 20);
        // Either it works on the new ring, or it knows that it does not.
        CHECK((end.hand(0x3000, 8).used().idx == 1 || !end.link.intact()));
    }
}

// The board's own knowledge of its peer

TEST_CASE("a device is down while its driver is known to be gone", "[bus][restart]")
{
    journal log;
    struct knowing : plain_board {
        using lifecycle = testing::recording_lifecycle;
    };
    device<knowing> end;
    auto peer = end.link.policies.lifecycle;  // copies are told together
    end.come_up();

    SECTION("it was killed, and left DRIVER_OK behind")
    {
        peer.becomes(policy::peer_life::gone);
        CHECK(end.link.has_change());  // who sleeps until there is work wakes for it
        CHECK(end.link.step() == link_change::went_down);
        CHECK(end.link.step() == link_change::none);
        CHECK_FALSE(end.link.has_change());  // or it would not sleep
        peer.becomes(policy::peer_life::alive);
        end.driver_starts();
        CHECK(end.link.step() == link_change::came_up);
    }
    SECTION("it was restarted")
    {
        peer.becomes(policy::peer_life::restarted);
        CHECK(end.link.has_change());  // who sleeps until there is work wakes for it
        CHECK(end.link.step() == link_change::went_down);
        end.driver_starts();
        CHECK(end.link.step() == link_change::came_up);
    }
}

// All that a link knows is private, and counted: sizes are those of a 64-bit host.
static_assert(sizeof(void*) != 8 || sizeof(device_link<plain_board, resource_table>) <= 264);
