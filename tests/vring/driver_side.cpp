#include <rpmsg/vring/driver_side.hpp>

#include <rpmsg/testing/journal.hpp>
#include <rpmsg/testing/recording_coherence.hpp>

#include "support/catch.hpp"
#include "vring/ring_memory.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

using rpmsg::errc;
using rpmsg::vring::driver_side;
using namespace rpmsg::policy;
using namespace rpmsg::testing;
using namespace rpmsg::wire;

namespace {

using events = with_event_idx<linux_kernel>;

/// A driver on a ring where the test plays the device. What was in the memory before means nothing.
template <std::uint16_t N, dialect Dialect = linux_kernel, coherence Coherence = single_core>
struct driving : ring_memory<N, Dialect::alignment> {
    driver_side<ring_of<N>, Coherence, Dialect> driver;

    driving()
    {
        std::fill(this->bytes.begin(), this->bytes.end(), std::byte{0xAA});
        driver.attach(this->bytes.data(), this->at, {}, (Dialect::features & feature::event_idx) != 0);
    }

    void lend(heads ids)
    {
        for (const auto id : ids)
            driver.make_available(id);
    }

    /// So many buffers there and back, one at a time.
    void run(std::uint32_t messages)
    {
        for (std::uint32_t i = 0; i != messages; ++i) {
            const auto id = static_cast<std::uint16_t>(i % N);
            driver.make_available(id);
            this->give_back(id, i);
            const auto back = driver.peek_used();
            if (!back || back->id != id || back->length != i)
                FAIL("buffer " << i << " did not come back");
            driver.take_used(id);
        }
    }
};

}  // namespace

// @spec virtio 1.2, 2.7.10.1
TEST_CASE("a driver makes the ring anew, whatever was there", "[vring]")
{
    driving<8> ring;
    CHECK(std::all_of(ring.bytes.begin(), ring.bytes.end(), [](std::byte b) { return b == std::byte{}; }));
    CHECK(ring.driver.count() == 8);
    CHECK(ring.driver.in_flight() == 0);
    CHECK(ring.driver.waiting() == 0);
    CHECK(ring.driver.peek_used().error() == errc::empty);
}

// @spec virtio 1.2, 2.7.13.1
TEST_CASE("a descriptor says where its buffer is", "[vring]")
{
    driving<4> ring;
    ring.driver.describe(3, 0x1122'3344'5566'7788, 512, descriptor_write);
    ring.driver.describe(0, 0xFFFF'FFFF'FFFF'FFF0, 0xFFFF'FFFF, 0);

    CHECK((ring.descriptor(3).addr == 0x1122'3344'5566'7788U && ring.descriptor(3).len == 512U));
    CHECK((ring.descriptor(3).flags == descriptor_write && ring.descriptor(3).next == 0));
    CHECK((ring.descriptor(0).addr == 0xFFFF'FFFF'FFFF'FFF0U && ring.descriptor(0).len == 0xFFFF'FFFFU));
    CHECK((ring.descriptor(0).flags == 0 && ring.descriptor(0).next == 0));
    CHECK(ring.descriptor(1).addr == 0U);
}

// @spec virtio 1.2, 2.7.13.2; virtio 1.2, 2.7.13.3
TEST_CASE("a driver lends buffers in any order and publishes each", "[vring]")
{
    driving<4> ring;
    ring.lend({2, 0, 3});
    CHECK(ring.avail().idx == 3);
    CHECK((ring.avail_entry(0) == 2 && ring.avail_entry(1) == 0 && ring.avail_entry(2) == 3));
    CHECK(ring.driver.in_flight() == 3);
    CHECK(ring.avail().flags == 0);
}

// @spec virtio 1.2, 2.7.14
TEST_CASE("a driver takes buffers back in the order in which they were given", "[vring]")
{
    driving<4> ring;
    ring.lend({0, 1, 2, 3});
    ring.give_back(2, 17);
    ring.give_back(0, 0);
    ring.give_back(3, 0xFFFF'FFFF);
    CHECK(ring.driver.waiting() == 0);  // as far as it looked
    CHECK(ring.driver.look() == errc{});
    CHECK(ring.driver.waiting() == 3);
    CHECK(ring.driver.waiting() == 3);

    CHECK((ring.driver.peek_used()->id == 2 && ring.driver.peek_used()->length == 17));
    ring.driver.take_used(2);
    CHECK((ring.driver.peek_used()->id == 0 && ring.driver.peek_used()->length == 0));
    ring.driver.take_used(0);
    CHECK((ring.driver.peek_used()->id == 3 && ring.driver.peek_used()->length == 0xFFFF'FFFF));
    ring.driver.take_used(3);
    CHECK(ring.driver.peek_used().error() == errc::empty);
    CHECK(ring.driver.in_flight() == 1);
}

// @spec virtio 1.2, 2.7.6; virtio 1.2, 2.7.13.2; virtio 1.2, 2.7.13.3; virtio 1.2, 2.7.14
TEMPLATE_TEST_CASE_SIG("a driver's ring goes on past the wrap of its indices", "[vring]", ((int N), N), 1, 2,
                       8, 256)
{
    constexpr auto count = static_cast<std::uint16_t>(N);
    driving<count> ring;
    std::deque<std::uint16_t> with_device;
    for (std::uint16_t id = 0; id != count; ++id) {
        ring.driver.make_available(id);
        with_device.push_back(id);
    }
    std::uint32_t wrong = 0;
    std::uint32_t lent = count;
    while (lent < 2 * 65536U + 5) {
        // The device gives some back, the last one first, so that ids and entries part ways.
        const auto some = 1 + lent % count;
        for (std::uint32_t i = 0; i != some; ++i) {
            ring.give_back(with_device.back(), lent + i);
            with_device.pop_back();
        }
        wrong += ring.driver.look() != errc{} || ring.driver.waiting() != some ? 1U : 0U;
        for (std::uint32_t i = 0; i != some; ++i) {
            const auto back = ring.driver.peek_used();
            wrong += !back || back->id >= count ? 1U : 0U;
            ring.driver.take_used(back->id);
            const auto entry = ring.avail().idx.get();
            ring.driver.make_available(back->id);
            wrong += ring.avail_entry(entry) != back->id ? 1U : 0U;
            with_device.push_front(back->id);
            ++lent;
        }
        wrong += ring.driver.in_flight() != count ? 1U : 0U;
    }
    CHECK(wrong == 0);
    CHECK(ring.avail().idx == static_cast<std::uint16_t>(lent));
}

TEST_CASE("a driver's ring may be smaller than the memory kept for it", "[vring]")
{
    ring_memory<2> memory;
    driver_side<ring_up_to<64>, single_core, linux_kernel> driver;
    ring_up_to<64> size;
    REQUIRE(size.adopt(2));
    driver.attach(memory.bytes.data(), memory.at, size, false);
    CHECK(driver.count() == 2);
    for (int i = 0; i != 5; ++i) {
        driver.make_available(1);
        memory.give_back(1, 5);
        CHECK(driver.peek_used()->id == 1);
        driver.take_used(1);
    }
    CHECK(memory.avail().idx == 5);
    driver.make_available(0);
    memory.give_back(2, 5);  // below 64, but of no descriptor here
    CHECK(driver.peek_used().error() == errc::protocol);
}

// What the device writes is input

TEST_CASE("a device that gives back what it does not have is refused and nothing is taken",
          "[vring][rule3][R13][openamp-V1]")
{
    driving<8> ring;
    ring.lend({0, 1, 2});
    const auto in_flight = ring.driver.in_flight();

    SECTION("a descriptor outside the table") { ring.give_back(8, 0); }
    SECTION("one far outside") { ring.give_back(0x8000'0000, 0); }
    SECTION("one that is inside when 16 bits are looked at") { ring.give_back(0x1'0001, 0); }
    SECTION("no descriptor at all") { ring.give_back(0xFFFF'FFFF, 0); }
    SECTION("one that was not lent") { ring.give_back(3, 0); }

    CHECK(ring.driver.peek_used().error() == errc::protocol);
    CHECK(ring.driver.peek_used().error() == errc::protocol);
    CHECK(ring.driver.in_flight() == in_flight);

    ring.used_entry(0) = {.id = 1, .len = 9};  // the failed calls changed nothing
    CHECK(ring.driver.peek_used()->id == 1);
}

TEST_CASE("a buffer that comes back twice is refused the second time", "[vring][rule3][rule4][R13]")
{
    driving<8> ring;
    ring.lend({0, 1});
    ring.give_back(1, 0);
    ring.give_back(1, 0);
    CHECK(ring.driver.peek_used()->id == 1);
    ring.driver.take_used(1);
    CHECK(ring.driver.peek_used().error() == errc::protocol);
    CHECK(ring.driver.in_flight() == 1);
}

TEST_CASE("a device cannot give back more than it was lent", "[vring][rule3]")
{
    driving<8> ring;

    SECTION("at the start") {}
    SECTION("right before the wrap") { ring.run(65534); }
    ring.lend({4, 5});
    const auto good = ring.used().idx.get();

    for (const auto leap : heads{3, 8, 9, 0x8000, 0xFFFF}) {  // the last one goes backwards
        ring.used().idx = static_cast<std::uint16_t>(good + leap);
        CHECK(ring.driver.look() == errc::protocol);
        CHECK(ring.driver.peek_used().error() == errc::protocol);
        CHECK(ring.driver.enable_doorbells() == errc::protocol);
        CHECK(ring.driver.waiting() == 0);
        CHECK(ring.driver.in_flight() == 2);
    }
    ring.used().idx = good;
    ring.give_back(5, 7);
    CHECK(ring.driver.peek_used()->id == 5);  // as if nothing had been
}

TEST_CASE("a driver that lent nothing takes nothing", "[vring][rule3]")
{
    driving<4> ring;
    ring.give_back(0, 0);
    CHECK(ring.driver.look() == errc::protocol);
    CHECK(ring.driver.peek_used().error() == errc::protocol);
}

TEST_CASE("a driver never reads back what it wrote", "[vring][rule1][rule2]")
{
    driving<4> ring;
    ring.driver.describe(0, 0x1000, 512, 0);
    ring.lend({0, 1});
    ring.avail().idx = 77;  // the device scribbles where only the driver writes
    ring.avail_entry(0) = 99;
    ring.descriptor(0) = {.addr = 99, .len = 99, .flags = 99, .next = 99};

    ring.lend({2});
    CHECK(ring.avail().idx == 3);
    CHECK(ring.avail_entry(2) == 2);
    ring.give_back(0, 5);
    CHECK(ring.driver.peek_used()->id == 0);
    ring.driver.take_used(0);
    CHECK(ring.driver.in_flight() == 2);
}

TEST_CASE("a driver reads the device's index only when what it knows of runs out", "[vring][rule1][rule9]")
{
    journal log;
    driving<8, linux_kernel, recording_coherence> ring;
    ring.lend({0, 1, 2, 3});
    for (const auto id : heads{0, 1, 2, 3})
        ring.give_back(id, 0);
    log.clear();

    for (const auto id : heads{0, 1, 2, 3}) {
        CHECK(ring.driver.peek_used()->id == id);
        ring.driver.take_used(id);
    }
    CHECK(ring.driver.peek_used().error() == errc::empty);
    INFO(log);
    CHECK(log.count({event::load_acquire, &ring.used().idx}) == 2);  // the first and the empty one
    CHECK(log.count(event::load_relaxed) == 0);
}

// Doorbells

// @spec virtio 1.2, 2.7.10.1
TEST_CASE("a device that does not want a doorbell gets none", "[vring][rule8][R8]")
{
    driving<4> ring;
    ring.lend({0});

    SECTION("because it said so")
    {
        ring.used().flags = used_no_notify;
        CHECK_FALSE(ring.driver.peer_wants_doorbell());
    }
    SECTION("because it said so, whatever else it said")
    {
        ring.used().flags = 0xFFFF;
        CHECK_FALSE(ring.driver.peer_wants_doorbell());
    }
    SECTION("but one that said nothing gets it") { CHECK(ring.driver.peer_wants_doorbell()); }
    SECTION("but other bits mean nothing")
    {
        ring.used().flags = 0xFFFE;
        CHECK(ring.driver.peer_wants_doorbell());
    }
}

TEST_CASE("a device of rpmsg-lite is rung whatever it says", "[vring][R8]")
{
    driving<4, rpmsg_lite> ring;
    ring.used().flags = used_no_notify;
    ring.lend({0});
    CHECK(ring.driver.peer_wants_doorbell());
}

// @spec virtio 1.2, 2.7.7.1
TEST_CASE("a driver says by a flag whether it wants doorbells", "[vring][rule8]")
{
    driving<4> ring;
    ring.driver.suppress_doorbells();
    CHECK(ring.avail().flags == avail_no_interrupt);
    CHECK(ring.driver.enable_doorbells() == errc{});
    CHECK(ring.driver.waiting() == 0);
    CHECK(ring.avail().flags == 0);
    CHECK(ring.used_event() == 0);
}

// @spec virtio 1.2, 2.7.7.1
TEST_CASE("with EVENT_IDX a driver names the buffer it wants to hear of", "[vring][event_idx]")
{
    driving<4, events> ring;
    ring.driver.suppress_doorbells();
    CHECK(ring.avail().flags == 0);  // an index that stays behind is silence enough
    ring.run(3);
    CHECK(ring.used_event() == 0);
    CHECK(ring.driver.enable_doorbells() == errc{});
    CHECK(ring.driver.waiting() == 0);
    CHECK(ring.used_event() == 3);
    ring.lend({0, 1});
    ring.give_back(1, 0);
    CHECK(ring.driver.enable_doorbells() == errc{});
    CHECK(ring.driver.waiting() == 1);
    CHECK(ring.used_event() == 3);  // of the buffer that is back already
}

// @spec virtio 1.2, 2.7.10; virtio 1.2, 2.7.10.1
TEST_CASE("with EVENT_IDX a device is rung for the entry it named, and for no other",
          "[vring][event_idx][rule10]")
{
    driving<8, events> ring;
    const auto before = GENERATE(values<std::uint32_t>({0, 3, 0xFFFE, 0xFFFF, 0x1'0000}));
    ring.run(before);
    static_cast<void>(ring.driver.peer_wants_doorbell());  // told of all that
    const auto name = [&](int offset) {
        ring.avail_event() = static_cast<std::uint16_t>(before + static_cast<std::uint32_t>(offset));
    };

    SECTION("the very next")
    {
        name(0);
        ring.lend({0});
        CHECK(ring.driver.peer_wants_doorbell());
        ring.lend({1});
        CHECK_FALSE(ring.driver.peer_wants_doorbell());  // once
    }
    SECTION("one among many lent together")
    {
        name(2);
        ring.lend({0, 1, 2, 3});
        CHECK(ring.driver.peer_wants_doorbell());
    }
    SECTION("the last of them")
    {
        name(3);
        ring.lend({0, 1, 2, 3});
        CHECK(ring.driver.peer_wants_doorbell());
    }
    SECTION("one that is still to come")
    {
        name(4);
        ring.lend({0, 1, 2, 3});
        CHECK_FALSE(ring.driver.peer_wants_doorbell());
        ring.lend({4});
        CHECK(ring.driver.peer_wants_doorbell());
    }
    SECTION("one that has been")
    {
        name(-1);
        ring.lend({0, 1});
        CHECK_FALSE(ring.driver.peer_wants_doorbell());
    }
    SECTION("the flag means nothing then")
    {
        name(0);
        ring.used().flags = used_no_notify;
        ring.lend({0});
        CHECK(ring.driver.peer_wants_doorbell());
    }
}

// @spec virtio 1.2, 2.7.7.1; virtio 1.2, 2.7.10.1
TEST_CASE("a driver whose device did not take EVENT_IDX keeps to flags", "[vring][event_idx]")
{
    ring_memory<4> memory;
    driver_side<ring_of<4>, single_core, events> driver;
    driver.attach(memory.bytes.data(), memory.at, {}, false);
    memory.avail_event() = 77;
    driver.make_available(0);
    CHECK(driver.peer_wants_doorbell());
    driver.suppress_doorbells();
    CHECK(memory.avail().flags == avail_no_interrupt);
    CHECK(driver.enable_doorbells() == errc{});
    CHECK(memory.used_event() == 0);
}

// @spec virtio 1.2, 2.7.14
TEMPLATE_TEST_CASE("a buffer given back between the last look and asking for a doorbell is seen",
                   "[vring][rule8][R9]", linux_kernel, rpmsg_lite, events)
{
    journal log;
    driving<4, TestType, recording_coherence> ring;
    ring.lend({0, 1});
    ring.driver.suppress_doorbells();
    REQUIRE(ring.driver.look() == errc{});
    REQUIRE(ring.driver.waiting() == 0);

    SECTION("just before it asks")
    {
        log.once(event::store_relaxed, [&] { ring.give_back(1, 5); });
    }
    SECTION("just after it asked: the device may have looked too early to see the wish")
    {
        log.once(event::full_barrier, [&] { ring.give_back(1, 5); });
    }
    CHECK(ring.driver.enable_doorbells() == errc{});
    CHECK(ring.driver.waiting() == 1);
    CHECK(ring.driver.waiting() == 1);
    CHECK(ring.driver.peek_used()->id == 1);
}

TEST_CASE("a driver that attaches again knows nothing of before", "[vring][restart]")
{
    driving<4> ring;
    ring.lend({0, 1, 2});
    ring.give_back(1, 5);
    REQUIRE(ring.driver.peek_used());

    ring.driver.attach(ring.bytes.data(), ring.at, {}, false);
    CHECK(ring.driver.in_flight() == 0);
    CHECK(ring.driver.waiting() == 0);
    CHECK(ring.used().idx == 0);
    CHECK(ring.avail().idx == 0);
    ring.lend({1});  // was lent before, and is again
    CHECK(ring.avail_entry(0) == 1);
    ring.give_back(0, 5);  // was lent before, and is not
    CHECK(ring.driver.peek_used().error() == errc::protocol);

    SECTION("nor how many it took back")
    {
        driving<4> other;
        other.run(3);
        other.driver.attach(other.bytes.data(), other.at, {}, false);
        CHECK(other.driver.in_flight() == 0);
        CHECK(other.driver.waiting() == 0);
        other.run(3);
    }
    SECTION("nor for what it asked about a doorbell")
    {
        driving<4, events> other;
        other.run(1);
        static_cast<void>(other.driver.peer_wants_doorbell());
        other.driver.attach(other.bytes.data(), other.at, {}, true);
        other.lend({0, 1});  // the device wants to hear of the first
        CHECK(other.driver.peer_wants_doorbell());
    }
}
