// Every write of a hostile peer that is known to have broken OpenAMP, made to a link that is up, in both roles.
//
// Each test is named after the write, with the row of docs/hostile-writes.md in front. Afterwards either the link
// is usable with every buffer that both ends have, or it was lost, counted, and comes back with all of them.
// Here: the rings.

#include "bus/fixture.hpp"
#include "bus/victim.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;

namespace {

struct events_board : loopback_board {
    using ring = policy::ring_of<8>;
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};

}  // namespace

TEMPLATE_TEST_CASE("V1: a ring entry of a message names no descriptor", "[bus][hostile][V1]", as_driver,
                   as_device)
{
    victim<TestType> v;
    const auto id = GENERATE(4U, 5U, 0x7FFFU, 0x8000U, 0xFFFFU, 0x1'0001U, 0x8000'0000U, 0xFFFF'FFFFU);
    v.peer_sends("lost");
    if constexpr (v.is_driver) {
        v.rx().used_at(v.slot(v.rx())).id = id;
        v.comes_back();
    } else {
        const auto entry = static_cast<std::uint16_t>(id);
        if (entry < 4)  // no lie in 16 bits
            return;
        v.rx().avail_at(v.slot(v.rx())) = entry;
        v.peer_sends("heard");
        CHECK(v.link.run());
        CHECK(v.heard == std::vector<std::string>{"heard"});
        CHECK(v.told == std::vector{fault::bad_descriptor});
        CHECK(v.here().stats().total() == 1);
        CHECK(v.here().epoch() == 0);
        v.comes_back_after_reset();  // the driver took its own buffer away
    }
    CHECK(v.link.run());
}

TEMPLATE_TEST_CASE("V1: a ring entry of a buffer to send in names no descriptor", "[bus][hostile][V1]",
                   as_driver, as_device)
{
    victim<TestType> v;
    // All have been used once, and the peer gives one back with another's name.
    while (v.mine.try_send({})) {}
    v.there().poll();
    const auto slot = v.slot(v.tx());
    if constexpr (v.is_driver) {
        v.tx().used_at(slot).id = GENERATE(4U, 0x1'0000U, 0xFFFF'FFFFU);
        while (v.mine.try_send({})) {}
        v.comes_back();
    } else {
        v.tx().avail_at(slot) = GENERATE(as<std::uint16_t>{}, 4, 0x8000, 0xFFFF);
        int sent = 0;
        while (v.mine.try_send({}))
            ++sent;
        CHECK(sent == 3);
        CHECK(v.here().stats()[fault::bad_descriptor] == 1);
        CHECK(v.here().state() == link_state::up);
        v.comes_back_after_reset();
    }
}

TEMPLATE_TEST_CASE("V1: one buffer is published twice", "[bus][hostile][V1]", as_driver, as_device)
{
    victim<TestType> v;
    SECTION("after it was handed back meanwhile: a buffer like any other, and the peer lacks the one it hid")
    {
        v.peer_sends("1");
        v.peer_sends("2");
        const auto first = v.head(1);
        if constexpr (v.is_driver)
            v.rx().used_at(v.slot(v.rx())).id = first;
        else
            v.rx().avail_at(v.slot(v.rx())) = first;
        CHECK(v.here().poll().handled == 2);
        CHECK(v.heard == std::vector<std::string>{"1", "1"});
        // It went back as often as it came.
        for (const std::uint16_t slot : {std::uint16_t{0}, std::uint16_t{1}})
            CHECK((v.is_driver ? v.rx().avail_at(slot).get() : v.rx().used_at(slot).id.get()) == first);
        CHECK(v.here().stats().total() == 0);
        v.comes_back_after_reset();
    }
    SECTION("while it is held")
    {
        std::vector<rx_buffer> held;
        endpoint keeper{v.here(), [&](rx_buffer in) { held.push_back(std::move(in)); }};
        REQUIRE(keeper.open(address{7}));
        CHECK(v.theirs.try_send_to(address{7}, bytes("1")));
        CHECK(v.theirs.try_send_to(address{7}, bytes("2")));
        const auto first = v.head(1);
        if constexpr (v.is_driver)
            v.rx().used_at(v.slot(v.rx())).id = first;
        else
            v.rx().avail_at(v.slot(v.rx())) = first;
        v.here().poll();
        if constexpr (v.is_driver) {
            CHECK(held.size() == 1);
            v.comes_back();
            held.clear();  // of a link that is gone: nothing happens
            v.has_all_buffers();
        } else {
            CHECK(held.size() == 2);  // what the driver says, it gets: and each back, once
            held.clear();
            CHECK(v.rx().used().idx == 2);
            CHECK(v.rx().used_at(0).id == first);
            CHECK(v.rx().used_at(1).id == first);
            v.comes_back_after_reset();
        }
    }
}

TEMPLATE_TEST_CASE("V1: an index runs ahead or back", "[bus][hostile][V1][V2]", as_driver, as_device)
{
    victim<TestType> v;
    const auto ring = GENERATE(true, false) ? v.rx_id : v.tx_id;
    auto& index = v.index(v.link.ring(ring));
    const auto step = GENERATE(5, 6, 100, 0x7FFF, 0x8000, 0xFFFB, 0xFFFF);
    while (v.mine.try_send({})) {}
    v.there().poll();  // gives the buffers back, and there is nothing on the way
    v.peer_sends("1");
    v.here().poll();
    index = static_cast<std::uint16_t>(index.get() + step);
    CHECK(v.here().has_work() == (ring == v.rx_id));
    v.here().poll();
    while (v.mine.try_send({})) {}
    v.comes_back();
}

TEMPLATE_TEST_CASE("V1: descriptors are chained, looped and indirect", "[bus][hostile][V1]", as_driver,
                   as_device)
{
    victim<TestType> v;
    const auto flags = GENERATE(as<std::uint16_t>{}, 1, 2, 3, 4, 5, 7, 0xFFFF);
    const auto next = GENERATE(as<std::uint16_t>{}, 0, 3, 4, 32768, 65535);
    for (int lap = 0; lap != 3; ++lap) {
        v.peer_sends("m");
        for (const auto ring : {v.rx(), v.tx()})
            for (std::uint16_t id = 0; id != v.count; ++id) {
                ring.descriptor_at(id).flags = flags;
                ring.descriptor_at(id).next = next;
            }
        CHECK(v.link.run());
    }
    CHECK(v.heard == std::vector<std::string>(3, "m"));
    v.goes_on(fault::none, 0);
}

TEMPLATE_TEST_CASE("V1: flags and spare words of both rings are filled", "[bus][hostile][V1][V3]", as_driver,
                   as_device)
{
    victim<TestType> v;
    const auto value = GENERATE(as<std::uint16_t>{}, 1, 2, 0x8000, 0xFFFF);
    for (int lap = 0; lap != 10; ++lap) {
        v.peer_sends("m");
        CHECK(v.mine.try_send(bytes("n")));
        for (const auto ring : {v.rx(), v.tx()}) {
            // What the peer writes; the other's words it could write as well, but only to its own harm.
            if constexpr (v.is_driver) {
                ring.used().flags = value;
                ring.avail_event(v.count) = value;
            } else {
                ring.avail().flags = value;
                ring.used_event(v.count) = value;
            }
        }
        v.here().poll();
        // The driver's end keeps a mark of the device's in avail_event: without it the device starts over.
        if constexpr (v.is_driver)
            for (const auto ring : {v.rx(), v.tx()})
                ring.avail_event(v.count) = std::uint16_t{0x5250};
        v.there().poll();
    }
    CHECK(v.heard == std::vector<std::string>(10, "m"));
    CHECK(v.peer_heard == std::vector<std::string>(10, "n"));
    v.goes_on(fault::none, 0);
}

TEMPLATE_TEST_CASE("V2: more buffers are taken to send in than there are descriptors", "[bus][hostile][V2]",
                   as_driver, as_device)
{
    victim<TestType> v;
    {
        std::vector<decltype(v.mine.try_acquire())> held;
        for (int i = 0; i != 4; ++i) {
            held.push_back(v.mine.try_acquire());
            CHECK(held.back());
        }
        CHECK(v.mine.try_acquire().error() == errc::full);
        CHECK(v.mine.try_send({}).error() == errc::full);
    }
    v.goes_on(fault::none, 0);
}

TEMPLATE_TEST_CASE("V3: with EVENT_IDX the event words never move, or anywhere", "[bus][hostile][V3]",
                   as_driver, as_device)
{
    victim<TestType, events_board> v;
    const auto step = GENERATE(0, 1, 7, 0x7FFF);
    std::uint32_t sent = 0;
    for (unsigned i = 0; i != 20; ++i) {
        CHECK(v.mine.try_send(bytes("n")));
        v.peer_sends("m");
        ++sent;
        const auto value = static_cast<std::uint16_t>(i * static_cast<unsigned>(step));
        const std::array written{v.rx().avail_event(v.count).get(), v.tx().avail_event(v.count).get()};
        for (const auto ring : {v.rx(), v.tx()})
            if constexpr (v.is_driver)
                ring.avail_event(v.count) = value;
            else
                ring.used_event(v.count) = value;
        v.here().poll();
        if constexpr (
            v.is_driver) {  // the peer is one of ours, and would take it for a driver that starts over
            v.rx().avail_event(v.count) = written[0];
            v.tx().avail_event(v.count) = written[1];
        }
        v.there().poll();
    }
    CHECK(v.heard.size() == sent);
    CHECK(v.peer_heard.size() == sent);
    v.goes_on(fault::none, 0);
}
