#include <rpmsg/vring/device_side.hpp>

#include <rpmsg/testing/journal.hpp>
#include <rpmsg/testing/recording_coherence.hpp>

#include "support/catch.hpp"
#include "vring/ring_memory.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

using rpmsg::errc;
using rpmsg::vring::device_side;
using namespace rpmsg::policy;
using namespace rpmsg::testing;
using namespace rpmsg::wire;

namespace {

using events = with_event_idx<linux_kernel>;

/// A device on a ring that the test drives. As a driver does, it describes buffer i at 0x1000 * i.
template <std::uint16_t N, dialect Dialect = linux_kernel, coherence Coherence = single_core>
struct driven : ring_memory<N, Dialect::alignment> {
    device_side<ring_of<N>, Coherence, Dialect> device;

    explicit driven(std::uint16_t returned = 0)
    {
        for (std::uint16_t i = 0; i != N; ++i)
            this->descriptor(i) = {
                .addr = 0x1000U * std::uint64_t{i}, .len = 100U + i, .flags = 0, .next = 0};
        this->used().idx = returned;
        device.attach(this->parts, {}, returned, (Dialect::features & feature::event_idx) != 0);
        if ((Dialect::features & feature::event_idx) == 0)
            device.leave_mark();
    }

    /// So many messages there and back, one at a time.
    void run(std::uint32_t messages)
    {
        for (std::uint32_t i = 0; i != messages; ++i) {
            const auto head = static_cast<std::uint16_t>(i % N);
            this->publish(head);
            const auto next = device.peek_available();
            if (!next || next->head != head)
                FAIL("message " << i << " was not taken");
            device.take_available();
            device.make_used(head, 1);
        }
    }
};

}  // namespace

TEST_CASE("a device takes buffers in the order in which they were published", "[vring]")
{
    driven<4> ring;
    CHECK(ring.device.count() == 4);
    CHECK(ring.device.peek_available().error() == errc::empty);

    ring.publish(2);
    ring.publish(0);
    ring.publish(3);
    CHECK(ring.device.waiting() == 0);  // as far as it looked
    CHECK(ring.device.look() == errc{});
    CHECK(ring.device.waiting() == 3);
    CHECK(ring.device.waiting() == 3);

    for (const auto head : heads{2, 0, 3}) {
        const auto next = ring.device.peek_available();
        REQUIRE(next);
        CHECK(next->head == head);
        CHECK(next->length == 100U + head);
        CHECK(next->address == 0x1000U * head);
        CHECK(ring.device.peek_available()->head == head);  // it is still in the ring
        ring.device.take_available();
    }
    CHECK(ring.device.peek_available().error() == errc::empty);
    CHECK(ring.device.in_flight() == 3);
}

// @spec virtio 1.2, 2.7.8
TEST_CASE("a device gives buffers back in any order, with the length it is told", "[vring]")
{
    driven<4> ring;
    for (const auto head : heads{2, 0, 3}) {
        ring.publish(head);
        REQUIRE(ring.device.peek_available());
        ring.device.take_available();
    }

    ring.device.make_used(0, 17);
    CHECK(ring.used().idx == 1);
    CHECK(ring.device.in_flight() == 2);
    ring.device.make_used(3, 0xFFFF'FFFF);
    ring.device.make_used(2, 0);
    CHECK(ring.used().idx == 3);
    CHECK(ring.device.in_flight() == 0);

    CHECK((ring.used_entry(0).id == 0U && ring.used_entry(0).len == 17U));
    CHECK((ring.used_entry(1).id == 3U && ring.used_entry(1).len == 0xFFFF'FFFFU));
    CHECK((ring.used_entry(2).id == 2U && ring.used_entry(2).len == 0U));
}

// @spec virtio 1.2, 2.7.6; virtio 1.2, 2.7.8
TEMPLATE_TEST_CASE_SIG("a device's ring goes on past the wrap of its indices", "[vring]", ((int N), N), 1, 2,
                       8, 256)
{
    constexpr auto count = static_cast<std::uint16_t>(N);
    driven<count> ring;
    std::deque<std::uint16_t> held;
    std::uint32_t wrong = 0;
    std::uint16_t next_head = 0;
    std::uint32_t taken = 0;
    // One buffer stays with the device all the time, so that full laps and held buffers meet.
    while (taken < 2 * 65536U + 5) {
        while (held.size() + ring.device.waiting() < count) {
            ring.publish(next_head);
            next_head = static_cast<std::uint16_t>((next_head + 1U) % count);
            wrong += ring.device.look() != errc{} ? 1U : 0U;
        }
        while (const auto got = ring.device.peek_available()) {
            ring.device.take_available();
            held.push_back(got->head);
            wrong += got->head != taken % count || got->length != 100U + got->head ? 1U : 0U;
            ++taken;
        }
        wrong += ring.device.peek_available().error() != errc::empty ? 1U : 0U;
        wrong += ring.device.in_flight() != count ? 1U : 0U;
        const auto keep = count == 1 ? 0U : 1U;
        while (held.size() > keep) {
            const auto slot = static_cast<std::uint16_t>(ring.used().idx.get());
            ring.device.make_used(held.front(), taken);
            wrong += ring.used_entry(slot).id != held.front() || ring.used_entry(slot).len != taken ? 1U : 0U;
            held.pop_front();
        }
    }
    CHECK(wrong == 0);
    CHECK(ring.used().idx == static_cast<std::uint16_t>(taken - held.size()));
}

TEST_CASE("a ring's size may be what the table says", "[vring]")
{
    ring_memory<8> memory;
    memory.descriptor(7).len = 70;
    device_side<ring_up_to<64>, single_core, linux_kernel> device;
    ring_up_to<64> size;
    REQUIRE(size.adopt(8));
    device.attach(memory.parts, size, 0, false);
    CHECK(device.count() == 8);

    for (int i = 0; i != 20; ++i) {
        memory.publish(7);
        CHECK(device.peek_available()->length == 70);
        device.take_available();
        device.make_used(7, 70);
    }
    CHECK(memory.used().idx == 20);
    memory.publish(8);
    CHECK(device.peek_available().error() == errc::malformed);
}

// What the driver writes is input

// @spec virtio 1.2, 2.7.6.1
TEST_CASE("a driver that claims more than a lap is refused and nothing is consumed", "[vring][rule3][rule6]")
{
    driven<4> ring;

    SECTION("at the start") {}
    SECTION("right before the wrap") { ring.run(65535); }
    SECTION("with buffers taken already")
    {
        ring.publish(0);
        REQUIRE(ring.device.peek_available());
        ring.device.take_available();
    }
    const auto good = ring.avail().idx.get();
    const auto held = ring.device.in_flight();

    for (const auto leap : heads{5, 6, 0x8000, 0xFFFF}) {  // the last one goes backwards
        ring.avail().idx = static_cast<std::uint16_t>(good + leap);
        CHECK(ring.device.look() == errc::protocol);
        CHECK(ring.device.peek_available().error() == errc::protocol);
        CHECK(ring.device.enable_doorbells() == errc::protocol);
        CHECK(ring.device.waiting() == 0);
        CHECK(ring.device.in_flight() == held);
    }

    ring.avail().idx = good;
    ring.publish(3);
    CHECK(ring.device.peek_available()->head == 3);  // as if nothing had been
}

TEST_CASE("a driver cannot have more available than it has buffers", "[vring][rule3]")
{
    driven<4> ring;
    for (const auto head : heads{0, 1, 2}) {
        ring.publish(head);
        REQUIRE(ring.device.peek_available());
        ring.device.take_available();
    }

    ring.publish(3);
    CHECK(ring.device.look() == errc{});
    CHECK(ring.device.waiting() == 1);
    ring.publish(0);  // which is here
    CHECK(ring.device.look() == errc::protocol);
    ring.device.make_used(0, 0);
    CHECK(ring.device.look() == errc{});
    CHECK(ring.device.waiting() == 2);  // now it could be
}

TEST_CASE("an avail entry that names no descriptor is skipped", "[vring][rule3][openamp-V1]")
{
    driven<4> ring;
    ring.publish(GENERATE(values<std::uint16_t>({4, 5, 0x8000, 0xFFFF})));
    ring.publish(2);

    CHECK(ring.device.peek_available().error() == errc::malformed);
    CHECK(ring.device.in_flight() == 0);
    CHECK(ring.device.peek_available()->head == 2);
    ring.device.take_available();
    ring.device.make_used(2, 102);
    CHECK(ring.used().idx == 1);  // nothing is given back for what names nothing
    CHECK(ring.used_entry(0).id == 2U);
    CHECK(ring.device.peek_available().error() == errc::empty);
}

TEST_CASE("a whole ring of entries that name nothing is skipped and ends", "[vring][rule3]")
{
    driven<4> ring;
    for (int lap = 0; lap != 3; ++lap) {
        for (int i = 0; i != 4; ++i)
            ring.publish(9);
        for (int i = 0; i != 4; ++i)
            CHECK(ring.device.peek_available().error() == errc::malformed);
        CHECK(ring.device.peek_available().error() == errc::empty);
    }
    ring.publish(1);
    CHECK(ring.device.peek_available()->head == 1);
}

TEST_CASE("a descriptor's flags and next mean nothing to a device", "[vring][rule3][openamp-V1]")
{
    driven<2> ring;
    ring.descriptor(1).flags =
        GENERATE(values<std::uint16_t>({0, descriptor_next, descriptor_write, descriptor_indirect,
                                        descriptor_next | descriptor_indirect, 0xFFFF}));
    ring.descriptor(1).next = GENERATE(values<std::uint16_t>({0, 1, 2, 32768, 0xFFFF}));  // OpenAMP: 32768
    ring.publish(1);

    const auto got = ring.device.peek_available();
    REQUIRE(got);
    CHECK((got->head == 1 && got->length == 101 && got->address == 0x1000));
    ring.device.take_available();
    CHECK(ring.device.peek_available().error() == errc::empty);
}

TEST_CASE("whatever a descriptor says is handed on as it stands", "[vring][rule3]")
{
    driven<2> ring;
    ring.descriptor(0) = {.addr = 0xFFFF'FFFF'FFFF'FFFF, .len = 0xFFFF'FFFF, .flags = 0, .next = 0};
    ring.publish(0);

    CHECK(ring.device.peek_available()->address == 0xFFFF'FFFF'FFFF'FFFF);
    CHECK(ring.device.peek_available()->length == 0xFFFF'FFFF);
    ring.descriptor(0) = {.addr = 0x1'0000'0008, .len = 0, .flags = 0, .next = 0};
    CHECK(ring.device.describe(0).address == 0x1'0000'0008);
    CHECK(ring.device.describe(0).length == 0);
    CHECK(ring.device.describe(0).head == 0);
}

TEST_CASE("each id is given back exactly as often as it was taken, even if the driver lent it twice",
          "[vring][rule4][R13]")
{
    driven<4> ring;
    ring.publish(3);
    ring.publish(3);
    ring.publish(1);
    std::vector<std::uint16_t> taken;
    while (const auto next = ring.device.peek_available()) {
        taken.push_back(next->head);
        ring.device.take_available();
    }
    REQUIRE(taken == std::vector<std::uint16_t>{3, 3, 1});

    for (const auto head : taken)
        ring.device.make_used(head, 8);
    CHECK(ring.used().idx == 3);
    CHECK((ring.used_entry(0).id == 3U && ring.used_entry(1).id == 3U && ring.used_entry(2).id == 1U));
    CHECK(ring.device.in_flight() == 0);
}

TEST_CASE("a device reads the driver's index only when what it knows of runs out", "[vring][rule1][rule9]")
{
    journal log;
    driven<8, linux_kernel, recording_coherence> ring;
    for (std::uint16_t head = 0; head != 8; ++head)
        ring.publish(head);
    log.clear();

    while (const auto next = ring.device.peek_available()) {
        ring.device.take_available();
        ring.avail().idx = 7;  // as nobody looks, nobody minds
        if (next->head == 7)
            ring.avail().idx = 8;
    }
    INFO(log);
    CHECK(log.count({event::load_acquire, &ring.avail().idx}) == 2);  // the first and the empty one
    CHECK(log.count(event::load_relaxed) == 0);
}

TEST_CASE("a device never reads back what it wrote", "[vring][rule1][rule2]")
{
    driven<4> ring;
    for (const auto head : heads{0, 1, 2}) {
        ring.publish(head);
        REQUIRE(ring.device.peek_available());
        ring.device.take_available();
    }
    ring.device.make_used(0, 1);
    ring.used().idx = 77;  // the driver scribbles where only the device writes
    ring.used_entry(0) = {.id = 99, .len = 99};

    ring.device.make_used(1, 2);
    CHECK(ring.used().idx == 2);
    CHECK(ring.used_entry(1).id == 1U);
    CHECK(ring.device.in_flight() == 1);
    ring.used().idx = 0;
    ring.device.make_used(2, 3);
    CHECK(ring.used().idx == 3);
}

// @spec virtio 1.2, 2.7.5.1
TEST_CASE("a device writes into the used part of the ring, and nowhere else", "[vring][rule12]")
{
    driven<4, events> ring;
    for (const auto head : heads{2, 0, 3, 9})
        ring.publish(head);
    ring.used_event() = 1;
    const auto before = ring.bytes;
    const auto drivers_part = before.begin() + static_cast<std::ptrdiff_t>(ring.at.used);

    for (int i = 0; i != 3; ++i) {
        const auto next = ring.device.peek_available();
        REQUIRE(next);
        ring.device.take_available();
        ring.device.make_used(next->head, next->length);
        static_cast<void>(ring.device.peer_wants_doorbell());
    }
    CHECK(ring.device.peek_available().error() == errc::malformed);
    ring.device.suppress_doorbells();
    CHECK(ring.device.enable_doorbells() == errc{});
    CHECK(ring.used().idx == 3);
    CHECK(std::equal(before.begin(), drivers_part, ring.bytes.begin()));
}

// Doorbells

// @spec virtio 1.2, 2.7.7.2
TEST_CASE("a driver that does not want a doorbell gets none", "[vring][rule8][R8]")
{
    driven<4> ring;
    ring.publish(0);
    REQUIRE(ring.device.peek_available());
    ring.device.take_available();
    ring.device.make_used(0, 1);

    SECTION("because it said so")
    {
        ring.avail().flags = avail_no_interrupt;
        CHECK_FALSE(ring.device.peer_wants_doorbell());
    }
    SECTION("because it said so, whatever else it said")
    {
        ring.avail().flags = 0xFFFF;
        CHECK_FALSE(ring.device.peer_wants_doorbell());
    }
    SECTION("but one that said nothing gets it") { CHECK(ring.device.peer_wants_doorbell()); }
    SECTION("but other bits mean nothing")
    {
        ring.avail().flags = 0xFFFE;
        CHECK(ring.device.peer_wants_doorbell());
    }
}

TEST_CASE("rpmsg-lite is rung although it forbids it", "[vring][R8]")
{
    driven<4, rpmsg_lite> ring;
    ring.avail().flags = avail_no_interrupt;
    ring.publish(0);
    REQUIRE(ring.device.peek_available());
    ring.device.take_available();
    ring.device.make_used(0, 100);
    CHECK(ring.device.peer_wants_doorbell());
}

// @spec virtio 1.2, 2.7.10.2
TEST_CASE("a device says by a flag whether it wants doorbells", "[vring][rule8]")
{
    driven<4> ring;
    CHECK(ring.used().flags == 0);
    ring.device.suppress_doorbells();
    CHECK(ring.used().flags == used_no_notify);
    ring.device.suppress_doorbells();
    CHECK(ring.used().flags == used_no_notify);
    CHECK(ring.device.enable_doorbells() == errc{});
    CHECK(ring.device.waiting() == 0);
    CHECK(ring.used().flags == 0);
}

// @spec virtio 1.2, 2.7.10.2
TEST_CASE("with EVENT_IDX a device names the entry it wants to hear of", "[vring][event_idx]")
{
    driven<4, events> ring;
    CHECK(ring.avail_event() == 0);
    ring.publish(1);
    REQUIRE(ring.device.peek_available());
    ring.device.take_available();
    ring.device.suppress_doorbells();
    CHECK(ring.used().flags == 0);
    CHECK(ring.avail_event() == 0);  // an index that stays behind is silence enough

    CHECK(ring.device.enable_doorbells() == errc{});
    CHECK(ring.device.waiting() == 0);
    CHECK(ring.avail_event() == 1);
    ring.publish(2);
    CHECK(ring.device.enable_doorbells() == errc{});
    CHECK(ring.device.waiting() == 1);
    CHECK(ring.avail_event() == 1);  // of the entry that waits already
    ring.device.make_used(1, 1);
    ring.device.take_available();
    ring.device.make_used(2, 1);

    ring.run(65533);
    CHECK(ring.device.enable_doorbells() == errc{});
    CHECK(ring.device.waiting() == 0);
    CHECK(ring.avail_event() == 65535);
    CHECK(ring.used().flags == 0);
}

// @spec virtio 1.2, 2.7.7; virtio 1.2, 2.7.7.2
TEST_CASE("with EVENT_IDX a driver is rung for the entry it named, and for no other",
          "[vring][event_idx][rule10]")
{
    driven<8, events> ring;
    const auto before = GENERATE(values<std::uint32_t>({0, 3, 0xFFFE, 0xFFFF, 0x1'0000}));
    ring.run(before);
    static_cast<void>(ring.device.peer_wants_doorbell());  // told of all that
    const auto give = [&](int messages) {
        ring.run(static_cast<std::uint32_t>(messages));
        return ring.device.peer_wants_doorbell();
    };
    const auto name = [&](int offset) {
        ring.used_event() = static_cast<std::uint16_t>(before + std::uint32_t(offset));
    };

    SECTION("the very next")
    {
        name(0);
        CHECK(give(1));
    }
    SECTION("the one after that")
    {
        name(1);
        CHECK_FALSE(give(1));
        CHECK(give(1));
        CHECK_FALSE(give(1));  // once
    }
    SECTION("one among many given back together")
    {
        name(2);
        CHECK(give(5));
    }
    SECTION("the last of them")
    {
        name(4);
        CHECK(give(5));
    }
    SECTION("none of them")
    {
        name(5);
        CHECK_FALSE(give(5));
    }
    SECTION("one that has been")
    {
        name(-1);
        CHECK_FALSE(give(3));
    }
    SECTION("the flag means nothing then")
    {
        name(0);
        ring.avail().flags = avail_no_interrupt;
        CHECK(give(1));
    }
}

// @spec virtio 1.2, 2.7.7.2; virtio 1.2, 2.7.10.2
TEST_CASE("an event word that was not negotiated means nothing", "[vring][event_idx]")
{
    ring_memory<4> memory;
    device_side<ring_of<4>, single_core, events> device;
    device.attach(memory.parts, {}, 0, false);
    memory.used_event() = 77;
    memory.publish(0);
    REQUIRE(device.peek_available());
    device.take_available();
    device.make_used(0, 1);
    CHECK(device.peer_wants_doorbell());
    device.suppress_doorbells();
    CHECK(memory.used().flags == used_no_notify);
}

TEMPLATE_TEST_CASE("an entry published between the last look and asking for a doorbell is seen",
                   "[vring][rule8][R9]", linux_kernel, rpmsg_lite, events)
{
    journal log;
    driven<4, TestType, recording_coherence> ring;
    ring.device.suppress_doorbells();
    REQUIRE(ring.device.look() == errc{});
    REQUIRE(ring.device.waiting() == 0);

    SECTION("just before it asks")
    {
        log.once(event::store_relaxed, [&] { ring.publish(2); });
    }
    SECTION("just after it asked: the driver may have looked too early to see the wish")
    {
        log.once(event::full_barrier, [&] { ring.publish(2); });
    }
    CHECK(ring.device.enable_doorbells() == errc{});
    CHECK(ring.device.waiting() == 1);
    CHECK(ring.device.waiting() == 1);
    CHECK(ring.device.peek_available()->head == 2);
}

// The driver starts over

namespace {

/// A driver that starts over zeroes the ring.
template <typename Ring>
void make_anew(Ring& ring)
{
    for (auto& byte : ring.bytes)
        byte = std::byte{};
}

}  // namespace

TEST_CASE("a device notices that the driver made the ring anew", "[vring][restart]")
{
    driven<4> ring;
    CHECK_FALSE(ring.device.was_reset());
    CHECK(ring.avail_event() != 0);  // the mark that every driver zeroes

    SECTION("by its own index, which is gone")
    {
        ring.run(3);
        CHECK_FALSE(ring.device.was_reset());
        ring.used().idx = 0;
        CHECK(ring.device.was_reset());
    }
    SECTION("by the mark, when nothing was given back yet")
    {
        make_anew(ring);
        CHECK(ring.used().idx == 0);
        CHECK(ring.device.was_reset());
    }
    SECTION("by the mark, when the index is the same after 65536 messages")
    {
        ring.run(65536);
        CHECK(ring.used().idx == 0);
        CHECK_FALSE(ring.device.was_reset());
        make_anew(ring);
        CHECK(ring.device.was_reset());
    }
    SECTION("by both")
    {
        ring.run(5);
        make_anew(ring);
        CHECK(ring.device.was_reset());
    }
    SECTION("also when it has filled the ring again meanwhile")
    {
        ring.run(5);
        make_anew(ring);
        for (const auto head : heads{0, 1, 2, 3})
            ring.publish(head);
        CHECK(ring.device.was_reset());
    }
}

TEST_CASE("a driver that only works is never mistaken for one that starts over", "[vring][restart]")
{
    driven<4> ring;
    std::uint32_t wrong = 0;
    for (int i = 0; i != 70000; ++i) {
        ring.run(1);
        wrong += ring.device.was_reset() ? 1U : 0U;
    }
    CHECK(wrong == 0);
    ring.device.suppress_doorbells();
    CHECK_FALSE(ring.device.was_reset());
    CHECK(ring.device.enable_doorbells() == errc{});
    CHECK_FALSE(ring.device.was_reset());
}

TEST_CASE("where EVENT_IDX is on, the event index is the mark", "[vring][restart]")
{
    driven<4, events> ring;
    ring.device.leave_mark();
    CHECK_FALSE(ring.device.was_reset());
    SECTION("as it was at the beginning")
    {
        make_anew(ring);
        CHECK(ring.device.was_reset());
    }
    SECTION("and as it is after a wish")
    {
        ring.run(3);
        CHECK(ring.device.enable_doorbells() == errc{});
        CHECK_FALSE(ring.device.was_reset());
        make_anew(ring);
        ring.used().idx = 3;  // only the event index tells
        CHECK(ring.device.was_reset());
    }
    SECTION("but not after a wish for the very first entry")
    {
        CHECK(ring.device.enable_doorbells() == errc{});
        make_anew(ring);
        CHECK_FALSE(ring.device.was_reset());
    }
}

// Where there is no room for a mark, one restart in 65536 is told by status and ring places only.
TEST_CASE("where the event word is missing, only the index tells", "[vring][restart]")
{
    SECTION("rpmsg-lite's layout has no room")
    {
        driven<4, rpmsg_lite> ring;
        CHECK_FALSE(ring.device.was_reset());
        ring.run(1);
        CHECK_FALSE(ring.device.was_reset());
        make_anew(ring);
        CHECK(ring.device.was_reset());
    }
}

TEST_CASE("where the layout has no room for an event word, nothing is written behind the ring",
          "[vring][restart]")
{
    constexpr auto at = rpmsg::vring::layout_of(4, 4, rpmsg_lite::alignment);
    alignas(4) std::array<std::byte, at.size + sizeof(le16)> bytes{};
    device_side<ring_of<4>, single_core, rpmsg_lite> device;
    device.attach(rpmsg::vring::split{bytes.data(), at}, {}, 0, false);
    CHECK(device.enable_doorbells() == errc{});
    device.suppress_doorbells();
    CHECK(bytes[at.size] == std::byte{});
    CHECK(bytes[at.size + 1] == std::byte{});
}

TEST_CASE("a device goes on from a used ring that the driver filled before it started", "[vring][R6]")
{
    driven<4, rpmsg_lite> ring{4};
    CHECK_FALSE(ring.device.was_reset());
    CHECK(ring.device.peek_available().error() == errc::empty);

    ring.publish(2);
    CHECK(ring.device.peek_available()->head == 2);
    ring.device.take_available();
    ring.device.make_used(2, 102);
    CHECK(ring.used().idx == 5);
    CHECK(ring.used_entry(0).id == 2U);
    CHECK_FALSE(ring.device.was_reset());
    ring.used().idx = 4;
    CHECK(ring.device.was_reset());
}

TEST_CASE("a device that attaches again knows nothing of before", "[vring][restart]")
{
    driven<4> ring;
    for (const auto head : heads{0, 1})
        ring.publish(head);
    REQUIRE(ring.device.peek_available());
    ring.device.take_available();
    make_anew(ring);

    ring.device.attach(ring.parts, {}, 0, false);
    ring.device.leave_mark();
    CHECK(ring.device.in_flight() == 0);
    CHECK(ring.device.waiting() == 0);
    CHECK_FALSE(ring.device.was_reset());
    CHECK(ring.device.peek_available().error() == errc::empty);
    ring.publish(3);
    CHECK(ring.device.peek_available()->head == 3);

    SECTION("nor for what it asked about a doorbell")
    {
        driven<4, events> other;
        other.run(1);
        static_cast<void>(other.device.peer_wants_doorbell());
        make_anew(other);
        other.device.attach(other.parts, {}, 0, true);
        other.run(2);  // the driver wants to hear of the first
        CHECK(other.device.peer_wants_doorbell());
    }
}

// A device's own state is small, whatever the size of the ring.
static_assert(sizeof(device_side<ring_of<256>, single_core, linux_kernel>) <= 3 * sizeof(void*) + 16);
