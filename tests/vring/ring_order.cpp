// The orders of the ring protocol. On the machines where these tests run most wrong orders work, so each
// is asserted as such: by what the recording coherence wrote down, by what memory held at that moment,
// and by a peer that moves exactly in between. Swapping any two steps makes one of these fail.

#include <rpmsg/vring/device_side.hpp>
#include <rpmsg/vring/driver_side.hpp>

#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/journal.hpp>
#include <rpmsg/testing/recording_board.hpp>

#include "support/catch.hpp"
#include "vring/ring_memory.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <new>
#include <span>
#include <utility>
#include <vector>

using rpmsg::errc;
using namespace rpmsg::policy;
using namespace rpmsg::testing;
using namespace rpmsg::vring;
using namespace rpmsg::wire;

namespace {

using events = with_event_idx<linux_kernel>;

/// Whether this happened, and nothing else.
bool is_all(const journal& log, std::initializer_list<step> steps)
{
    return log.entries().size() == steps.size() && log.has_in_order(steps);
}

/// A ring, both of its sides, and the journal they share. A test uses one of them and plays the other.
template <dialect Dialect>
struct observed : ring_memory<4, Dialect::alignment> {
    static constexpr bool has_events = (Dialect::features & feature::event_idx) != 0;

    journal log;
    device_side<ring_of<4>, recording_coherence, Dialect> device;
    driver_side<ring_of<4>, recording_coherence, Dialect> driver;

    /// Both attached, the driver first; then nothing has happened.
    observed()
    {
        driver.attach(this->bytes.data(), this->at, {}, has_events);
        device.attach(this->parts, {}, 0, has_events);
        if (!has_events)
            device.leave_mark();
        log.watch(this->bytes);
        log.clear();
    }

    /// A part of the ring as it was right before an entry took effect.
    template <typename Part>
    Part before(const entry* that, const Part& part)
    {
        REQUIRE(that != nullptr);
        Part copy;
        const auto offset = reinterpret_cast<const std::byte*>(&part) - this->bytes.data();
        std::memcpy(&copy, that->memory.data() + offset, sizeof copy);
        return copy;
    }

    /// What the peer does just before the first, second, third… time that lines are invalidated: a read
    /// that came earlier misses it.
    void at_each_invalidate(std::vector<std::function<void()>> moves)
    {
        log.when(event::invalidate, [moves = std::move(moves), i = std::size_t{0}]() mutable {
            if (i != moves.size())
                moves[i++]();
        });
    }

    /// A buffer that the device has.
    void take(std::uint16_t id)
    {
        driver.make_available(id);
        REQUIRE(device.peek_available());
        device.take_available();
        log.clear();
    }
};

}  // namespace

// The device publishes

// @spec virtio 1.2, 2.7.8.2
TEST_CASE("a used element is written and cleaned before the index that publishes it", "[vring][order]")
{
    observed<linux_kernel> ring;
    ring.take(2);
    ring.device.make_used(2, 77);

    INFO(ring.log);
    auto& element = ring.used_entry(0);
    CHECK(is_all(ring.log, {{event::clean, &element, sizeof element},
                            {event::store_release, &ring.used().idx, 1},
                            {event::clean, &ring.used().idx, sizeof(le16)}}));

    const auto* const cleaned = ring.log.find({event::clean, &element});
    CHECK(ring.before(cleaned, element).id == 2U);
    CHECK(ring.before(cleaned, element).len == 77U);
    CHECK(ring.before(cleaned, ring.used().idx) == 0);
    CHECK(ring.before(ring.log.find({event::store_release}), element).len == 77U);
}

TEST_CASE("a device decides about the doorbell after it published, and over a full barrier",
          "[vring][order][rule8][R9]")
{
    SECTION("by the driver's flag")
    {
        observed<linux_kernel> ring;
        ring.take(1);
        ring.device.make_used(1, 8);
        REQUIRE(ring.device.peer_wants_doorbell());
        INFO(ring.log);
        CHECK(is_all(ring.log, {{event::clean, &ring.used_entry(0)},
                                {event::store_release, &ring.used().idx},
                                {event::clean, &ring.used().idx},
                                {event::full_barrier},
                                {event::invalidate, &ring.avail().flags, sizeof(le16)},
                                {event::load_relaxed, &ring.avail().flags}}));
    }
    SECTION("by the entry the driver named")
    {
        observed<events> ring;
        ring.take(1);
        ring.device.make_used(1, 8);
        REQUIRE(ring.device.peer_wants_doorbell());
        INFO(ring.log);
        CHECK(is_all(ring.log, {{event::clean, &ring.used_entry(0)},
                                {event::store_release, &ring.used().idx},
                                {event::clean, &ring.used().idx},
                                {event::full_barrier},
                                {event::invalidate, &ring.used_event(), sizeof(le16)},
                                {event::load_relaxed, &ring.used_event()}}));
    }
}

TEST_CASE("a device that asks once asks for the whole batch", "[vring][order][rule8][rule10]")
{
    observed<linux_kernel> ring;
    for (const auto id : heads{0, 1, 2})
        ring.take(id);
    for (const auto id : heads{0, 1, 2})
        ring.device.make_used(id, 8);
    CHECK(ring.log.count(event::full_barrier) == 0);
    CHECK(ring.device.peer_wants_doorbell());
    CHECK(ring.log.count(event::full_barrier) == 1);
    CHECK(ring.log.count({event::load_relaxed, &ring.avail().flags}) == 1);
}

// The device looks

TEST_CASE("a device reads the driver's index, then the entry, then the descriptor, each fresh",
          "[vring][order]")
{
    observed<linux_kernel> ring;
    ring.at_each_invalidate(
        {[&] { ring.publish(1); }, [&] { ring.avail_entry(0) = 2; },
         [&] { ring.descriptor(2) = {.addr = 0x2000, .len = 22, .flags = 0, .next = 0}; }});
    const auto got = ring.device.peek_available();

    INFO(ring.log);
    CHECK(is_all(ring.log, {{event::invalidate, &ring.avail().idx, sizeof(le16)},
                            {event::load_acquire, &ring.avail().idx, 1},
                            {event::invalidate, &ring.avail_entry(0), sizeof(le16)},
                            {event::invalidate, &ring.descriptor(2), sizeof(descriptor)}}));
    CHECK((got->head == 2 && got->length == 22 && got->address == 0x2000));
}

TEST_CASE("a descriptor that is read again is read fresh", "[vring][order]")
{
    observed<linux_kernel> ring;
    ring.take(3);
    ring.at_each_invalidate({[&] { ring.descriptor(3).len = 33; }});
    CHECK(ring.device.describe(3).length == 33);
    CHECK(is_all(ring.log, {{event::invalidate, &ring.descriptor(3), sizeof(descriptor)}}));
}

TEST_CASE("a device that wants doorbells says so, then a full barrier, then it looks again",
          "[vring][order][rule8][R9]")
{
    SECTION("by its flag")
    {
        observed<linux_kernel> ring;
        ring.device.suppress_doorbells();
        CHECK(is_all(ring.log, {{event::store_relaxed, &ring.used().flags, used_no_notify},
                                {event::clean, &ring.used().flags, sizeof(le16)}}));
        CHECK(ring.before(ring.log.find({event::clean}), ring.used().flags) == used_no_notify);
        ring.log.clear();

        ring.at_each_invalidate({[&] { ring.publish(1); }});
        CHECK(ring.device.enable_doorbells() == errc{});
        CHECK(ring.device.waiting() == 1);
        INFO(ring.log);
        CHECK(is_all(ring.log, {{event::store_relaxed, &ring.used().flags, 0},
                                {event::clean, &ring.used().flags, sizeof(le16)},
                                {event::full_barrier},
                                {event::invalidate, &ring.avail().idx, sizeof(le16)},
                                {event::load_acquire, &ring.avail().idx, 1}}));
    }
    SECTION("by the entry it wants to hear of")
    {
        observed<events> ring;
        ring.device.suppress_doorbells();
        CHECK(ring.log.entries().empty());

        ring.at_each_invalidate({[&] { ring.publish(1); }});
        CHECK(ring.device.enable_doorbells() == errc{});
        CHECK(ring.device.waiting() == 1);
        INFO(ring.log);
        CHECK(is_all(ring.log, {{event::store_relaxed, &ring.avail_event(), 0},
                                {event::clean, &ring.avail_event(), sizeof(le16)},
                                {event::full_barrier},
                                {event::invalidate, &ring.avail().idx, sizeof(le16)},
                                {event::load_acquire, &ring.avail().idx, 1}}));
    }
}

TEST_CASE("a device that looks for a restart reads memory, not its cache", "[vring][order][restart]")
{
    observed<linux_kernel> ring;
    REQUIRE(ring.avail_event() != 0);

    SECTION("all is well")
    {
        CHECK_FALSE(ring.device.was_reset());
        INFO(ring.log);
        CHECK(is_all(ring.log, {{event::invalidate, &ring.used().idx, sizeof(le16)},
                                {event::load_relaxed, &ring.used().idx},
                                {event::invalidate, &ring.avail_event(), sizeof(le16)},
                                {event::load_relaxed, &ring.avail_event()}}));
    }
    SECTION("the index went back just now")
    {
        ring.at_each_invalidate({[&] { ring.used().idx = 9; }});
        CHECK(ring.device.was_reset());
    }
    SECTION("the mark went just now")
    {
        ring.at_each_invalidate({[] {}, [&] { ring.avail_event() = 0; }});
        CHECK(ring.device.was_reset());
    }
}

TEST_CASE("a device's mark reaches memory", "[vring][order][restart]")
{
    observed<linux_kernel> ring;
    ring.avail_event() = 0;
    ring.device.attach(ring.parts, {}, 0, false);
    ring.device.leave_mark();
    CHECK(is_all(ring.log, {{event::store_relaxed, &ring.avail_event()},
                            {event::clean, &ring.avail_event(), sizeof(le16)}}));
    CHECK(ring.before(ring.log.find({event::clean}), ring.avail_event()) != 0);
}

// The driver publishes

TEST_CASE("a ring made anew is zero before it is cleaned", "[vring][order]")
{
    observed<linux_kernel> ring;
    std::fill(ring.bytes.begin(), ring.bytes.end(), std::byte{0xAA});
    ring.driver.attach(ring.bytes.data(), ring.at, {}, false);

    REQUIRE(is_all(ring.log, {{event::clean, ring.bytes.data(), ring.bytes.size()}}));
    CHECK(ring.log.entries()[0].where == ring.bytes.data());
    CHECK(ring.log.entries()[0].memory == std::vector<std::byte>(ring.bytes.size()));
}

// @spec virtio 1.2, 2.7.13.1
TEST_CASE("a descriptor is written before it is cleaned", "[vring][order]")
{
    observed<linux_kernel> ring;
    ring.driver.describe(3, 0x1122'3344'5566, 512, descriptor_write);

    REQUIRE(is_all(ring.log, {{event::clean, &ring.descriptor(3), sizeof(descriptor)}}));
    const auto then = ring.before(ring.log.find({event::clean}), ring.descriptor(3));
    CHECK((then.addr == 0x1122'3344'5566U && then.len == 512U && then.flags == descriptor_write));
}

// @spec virtio 1.2, 2.7.13.3.1
TEST_CASE("an avail entry is written and cleaned before the index that publishes it", "[vring][order]")
{
    observed<linux_kernel> ring;
    ring.avail_entry(0) = 99;
    ring.driver.make_available(2);

    INFO(ring.log);
    CHECK(is_all(ring.log, {{event::clean, &ring.avail_entry(0), sizeof(le16)},
                            {event::store_release, &ring.avail().idx, 1},
                            {event::clean, &ring.avail().idx, sizeof(le16)}}));
    const auto* const cleaned = ring.log.find({event::clean, &ring.avail_entry(0)});
    CHECK(ring.before(cleaned, ring.avail_entry(0)) == 2);
    CHECK(ring.before(cleaned, ring.avail().idx) == 0);
}

// @spec virtio 1.2, 2.7.13.4.1
TEST_CASE("a driver decides about the doorbell after it published, and over a full barrier",
          "[vring][order][rule8][R9]")
{
    SECTION("by the device's flag")
    {
        observed<linux_kernel> ring;
        ring.driver.make_available(1);
        REQUIRE(ring.driver.peer_wants_doorbell());
        INFO(ring.log);
        CHECK(is_all(ring.log, {{event::clean, &ring.avail_entry(0)},
                                {event::store_release, &ring.avail().idx},
                                {event::clean, &ring.avail().idx},
                                {event::full_barrier},
                                {event::invalidate, &ring.used().flags, sizeof(le16)},
                                {event::load_relaxed, &ring.used().flags}}));
    }
    SECTION("by the entry the device named")
    {
        observed<events> ring;
        ring.driver.make_available(1);
        REQUIRE(ring.driver.peer_wants_doorbell());
        INFO(ring.log);
        CHECK(is_all(ring.log, {{event::clean, &ring.avail_entry(0)},
                                {event::store_release, &ring.avail().idx},
                                {event::clean, &ring.avail().idx},
                                {event::full_barrier},
                                {event::invalidate, &ring.avail_event(), sizeof(le16)},
                                {event::load_relaxed, &ring.avail_event()}}));
    }
}

TEMPLATE_TEST_CASE("a side that decides reads the other's wish fresh", "[vring][order][rule8][R9]",
                   linux_kernel, events)
{
    observed<TestType> ring;
    ring.take(0);
    const auto event =
        static_cast<std::uint16_t>(ring.has_events ? 1 : 0);  // the entry after the one told of

    SECTION("the device")
    {
        ring.device.make_used(0, 8);
        ring.at_each_invalidate(
            {[&] { ring.avail().flags = avail_no_interrupt, ring.used_event() = event; }});
        CHECK_FALSE(ring.device.peer_wants_doorbell());
    }
    SECTION("the device, of a driver that asked at the last moment")
    {
        ring.avail().flags = avail_no_interrupt;
        ring.used_event() = event;
        ring.device.make_used(0, 8);
        ring.log.once(event::full_barrier, [&] { ring.avail().flags = 0, ring.used_event() = 0; });
        CHECK(ring.device.peer_wants_doorbell());
    }
    SECTION("the driver")
    {
        static_cast<void>(ring.driver.peer_wants_doorbell());  // told of that one
        ring.driver.make_available(1);
        ring.at_each_invalidate({[&] {
            ring.used().flags = used_no_notify;
            ring.avail_event() = static_cast<std::uint16_t>(event + 1U);
        }});
        CHECK_FALSE(ring.driver.peer_wants_doorbell());
    }
    SECTION("the driver, of a device that asked at the last moment")
    {
        static_cast<void>(ring.driver.peer_wants_doorbell());  // told of that one
        ring.used().flags = used_no_notify;
        ring.avail_event() = 0;
        ring.driver.make_available(1);
        ring.log.once(event::full_barrier, [&] { ring.used().flags = 0, ring.avail_event() = 1; });
        CHECK(ring.driver.peer_wants_doorbell());
    }
}

// The driver looks

TEST_CASE("a driver reads the device's index, then the element, each fresh", "[vring][order]")
{
    observed<linux_kernel> ring;
    ring.driver.make_available(1);
    ring.driver.make_available(2);
    ring.log.clear();
    ring.at_each_invalidate(
        {[&] { ring.give_back(1, 11); }, [&] { ring.used_entry(0) = {.id = 2, .len = 22}; }});
    const auto got = ring.driver.peek_used();

    INFO(ring.log);
    CHECK(is_all(ring.log, {{event::invalidate, &ring.used().idx, sizeof(le16)},
                            {event::load_acquire, &ring.used().idx, 1},
                            {event::invalidate, &ring.used_entry(0), sizeof(used_element)}}));
    CHECK((got->id == 2 && got->length == 22));
}

// @spec virtio 1.2, 2.7.14
TEST_CASE("a driver that wants doorbells says so, then a full barrier, then it looks again",
          "[vring][order][rule8][R9]")
{
    SECTION("by its flag")
    {
        observed<linux_kernel> ring;
        ring.driver.make_available(1);
        ring.log.clear();
        ring.driver.suppress_doorbells();
        CHECK(is_all(ring.log, {{event::store_relaxed, &ring.avail().flags, avail_no_interrupt},
                                {event::clean, &ring.avail().flags, sizeof(le16)}}));
        CHECK(ring.before(ring.log.find({event::clean}), ring.avail().flags) == avail_no_interrupt);
        ring.log.clear();

        ring.at_each_invalidate({[&] { ring.give_back(1, 8); }});
        CHECK(ring.driver.enable_doorbells() == errc{});
        CHECK(ring.driver.waiting() == 1);
        INFO(ring.log);
        CHECK(is_all(ring.log, {{event::store_relaxed, &ring.avail().flags, 0},
                                {event::clean, &ring.avail().flags, sizeof(le16)},
                                {event::full_barrier},
                                {event::invalidate, &ring.used().idx, sizeof(le16)},
                                {event::load_acquire, &ring.used().idx, 1}}));
    }
    SECTION("by the buffer it wants to hear of")
    {
        observed<events> ring;
        ring.driver.make_available(1);
        ring.log.clear();
        ring.driver.suppress_doorbells();
        CHECK(ring.log.entries().empty());

        ring.at_each_invalidate({[&] { ring.give_back(1, 8); }});
        CHECK(ring.driver.enable_doorbells() == errc{});
        CHECK(ring.driver.waiting() == 1);
        INFO(ring.log);
        CHECK(is_all(ring.log, {{event::store_relaxed, &ring.used_event(), 0},
                                {event::clean, &ring.used_event(), sizeof(le16)},
                                {event::full_barrier},
                                {event::invalidate, &ring.used().idx, sizeof(le16)},
                                {event::load_acquire, &ring.used().idx, 1}}));
    }
}

// The bus on top of both

namespace {

struct recording_board_of_8 : recording_board {
    using ring = ring_of<8>;
};

/// Both ends in one thread, with doorbells that are asked for and written down.
struct both_ends {
    static constexpr std::size_t bytes = 0x8000;

    journal log;
    std::vector<std::byte> storage = std::vector<std::byte>(bytes + 4096);
    std::byte* start = storage.data() + 4096 - reinterpret_cast<std::uintptr_t>(storage.data()) % 4096;
    rpmsg_table& table = *new (start) rpmsg_table{make_rpmsg_table(
        1, {.address = 0x1000, .align = 16, .num = 8}, {.address = 0x2000, .align = 16, .num = 8})};
    recording_address_map map{offset{std::span{start, bytes}, 0}};
    rpmsg::device_bus<recording_board_of_8> device;
    rpmsg::driver_bus<recording_board_of_8> driver;
    split to_driver{start + 0x1000, layout_of(8, 16)};
    split to_device{start + 0x2000, layout_of(8, 16)};

    both_ends()
        : device{table, {.address_map = map}},
          driver{table,
                 rpmsg::buffer_pool{.to_driver = std::span{start + 0x4000, 16 * 512}},
                 {.address_map = map}}
    {
        for (int i = 0; i != 4; ++i) {
            device.poll();
            driver.poll();
        }
        log.clear();
    }
};

}  // namespace

TEST_CASE(
    "a message's index is published before the bus decides about its doorbell, and the doorbell rings last",
    "[vring][order][rule8]")
{
    both_ends ends;
    const auto payload = std::as_bytes(std::span{"hello", 5});

    SECTION("from the device")
    {
        rpmsg::endpoint out{ends.device};
        REQUIRE(out.open(rpmsg::address{70}, rpmsg::towards{71}));
        ends.log.clear();
        REQUIRE(out.try_send(payload));
        INFO(ends.log);
        CHECK(ends.log.has_in_order({{event::store_release, &ends.to_driver.used().idx, 1},
                                     {event::clean, &ends.to_driver.used().idx},
                                     {event::full_barrier},
                                     {event::load_relaxed, &ends.to_driver.avail().flags},
                                     {event::ring}}));
        CHECK(ends.log.count(event::ring) == 1);
        CHECK(ends.log.count(event::full_barrier) == 1);
    }
    SECTION("from the driver")
    {
        rpmsg::endpoint out{ends.driver};
        REQUIRE(out.open(rpmsg::address{70}, rpmsg::towards{71}));
        ends.log.clear();
        REQUIRE(out.try_send(payload));
        INFO(ends.log);
        CHECK(ends.log.has_in_order({{event::store_release, &ends.to_device.avail().idx, 1},
                                     {event::clean, &ends.to_device.avail().idx},
                                     {event::full_barrier},
                                     {event::load_relaxed, &ends.to_device.used().flags},
                                     {event::ring}}));
        CHECK(ends.log.count(event::ring) == 1);
        CHECK(ends.log.count(event::full_barrier) == 1);
    }
}

TEST_CASE("a payload is cleaned before the index that hands it over", "[vring][order]")
{
    both_ends ends;
    rpmsg::endpoint out{ends.device};
    REQUIRE(out.open(rpmsg::address{70}, rpmsg::towards{71}));
    ends.log.watch({ends.start + 0x4000, 512});
    ends.log.clear();
    REQUIRE(out.try_send(std::as_bytes(std::span{"hello", 5})));
    INFO(ends.log);
    const step cleaned{event::clean, ends.start + 0x4000 + 16 + 4};
    CHECK(ends.log.has_in_order({cleaned, {event::store_release, &ends.to_driver.used().idx}}));
    const auto* const at_clean = ends.log.find(cleaned);
    REQUIRE(at_clean != nullptr);
    CHECK(std::memcmp(at_clean->memory.data() + 16, "hello", 5) == 0);
    CHECK(at_clean->memory.at(12) == std::byte{5});  // the header's length
}
