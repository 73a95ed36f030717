#include <rpmsg/bus/negotiating.hpp>

#include "bus/fixture.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <rpmsg/testing/recording_board.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using policy::vring_id;

namespace {

struct events_board : loopback_board {
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};
struct recording_map_board : loopback_board {
    using address_map = recording_address_map;
};
struct living_board : loopback_board {
    using lifecycle = recording_lifecycle;
};
struct board_of_4 : loopback_board {
    using ring = policy::ring_of<4>;
};

using states = std::vector<link_state>;

/// Polls two ends that are not both a loopback's.
void run(auto& one, auto& other)
{
    for (int i = 0; i != 8; ++i) {
        one.poll();
        other.poll();
    }
}

}  // namespace

TEST_CASE("nothing depends on who starts first", "[bus]")
{
    loopback<> link;
    SECTION("the driver")
    {
        for (int i = 0; i != 5; ++i)
            link.driver().poll();
        CHECK(link.driver().state() == link_state::up);
    }
    SECTION("the device")
    {
        for (int i = 0; i != 5; ++i)
            link.device().poll();
        CHECK(link.device().state() == link_state::negotiating);
    }
    SECTION("the driver, before there is a table")
    {
        const auto table = link.table();
        link.table() = {};
        for (int i = 0; i != 5; ++i)
            link.driver().poll();
        CHECK(link.driver().state() == link_state::negotiating);
        CHECK(hex_of(link.table()) == std::string(2 * sizeof(wire::rpmsg_table), '0'));
        link.table() = table;
    }
    link.run();
    CHECK(link.driver().state() == link_state::up);
    CHECK(link.device().state() == link_state::up);
}

// @spec virtio 1.2, 2.1.2
TEST_CASE("a device touches no ring before DRIVER_OK", "[bus][peers]")
{
    journal log;
    loopback<loopback_board, recording_map_board> link;
    const auto status = GENERATE(0, 1, 3, 0x83);
    link.table().vdev.status = static_cast<std::uint8_t>(status);
    const auto before = hex(link.bytes());
    log.clear();
    for (int i = 0; i != 5; ++i)
        link.device().poll();
    CHECK(log.count(rpmsg::testing::event::to_local) == 0);
    CHECK(hex(link.bytes()) == before);
    CHECK(link.device().state() == link_state::negotiating);
}

// @spec virtio 1.2, 2.4.1
TEMPLATE_TEST_CASE("a driver that restarts is noticed, and all is as it was before", "[bus][recovery]",
                   loopback_board, events_board)
{
    loopback<TestType> link;
    states seen;
    int heard = 0;
    std::optional<rx_buffer> held;
    observer watch{link.device(), on_link{[&](link_state s) { seen.push_back(s); }}};
    REQUIRE(watch.open());
    endpoint named{link.device(), [&](message m) {
                       ++heard;
                       if (!held)
                           held = m.hold();
                   }};
    endpoint also{link.device()};
    REQUIRE((named.open("named") && also.open("also")));
    link.run();
    link.driver().stop();  // only its memory is used from here on

    driver_bus<TestType> old{link.table(), link.pool(), link.driver_models()};
    std::optional<driver_bus<TestType>> anew;
    {
        endpoint there{old};
        REQUIRE(there.open("named"));
        run(old, link.device());
        REQUIRE(named.is_bound());
        REQUIRE(there.try_send({}));
        REQUIRE(named.try_send({}));
        run(old, link.device());
        CHECK(heard == 1);
        auto slot = named.try_acquire();
        REQUIRE(slot);
        const auto epoch = link.device().epoch();
        seen.clear();

        // It starts over without a word; the device may or may not look in between.
        anew.emplace(link.table(), link.pool(), link.driver_models());
        SECTION("seen at status 0")
        {
            link.table().vdev.status = std::uint8_t{0};
            link.device().poll();
            CHECK(seen == states{link_state::lost});
        }
        SECTION("not seen before it was ready again")
        {
            anew->poll();
            CHECK(anew->state() == link_state::up);
        }
        ear ear_of_driver{*anew};
        run(*anew, link.device());
        CHECK(seen == states{link_state::lost, link_state::negotiating, link_state::up});
        CHECK(link.device().epoch() == epoch + 1);
        CHECK_FALSE(named.is_bound());
        CHECK(ear_of_driver.take() == std::vector<std::string>{"+named@1024", "+also@1025"});

        // What was outstanding is harmless.
        CHECK(std::move(slot).send(1).error() == errc::stale);
        const auto used = link.ring(vring_id::to_device).used().idx.get();
        held.reset();
        CHECK(link.ring(vring_id::to_device).used().idx.get() == used);
    }
    endpoint again{*anew};
    REQUIRE(again.open("named"));
    for (int i = 0; i != 40; ++i) {
        REQUIRE(again.try_send_to(named.local(), {}));
        held.reset();
        run(*anew, link.device());
    }
    CHECK(heard == 41);
    CHECK(named.is_bound());
    CHECK(anew->stats().total() == 0);
}

TEST_CASE("a driver that restarts before anything was sent is noticed by the mark", "[bus][recovery]")
{
    loopback<> link;
    link.run();
    REQUIRE(link.ring(vring_id::to_driver).used().idx == 0);
    REQUIRE(link.ring(vring_id::to_device).used().idx == 0);
    const auto epoch = link.device().epoch();

    driver_bus<loopback_board> anew{link.table(), link.pool(), link.driver_models()};
    anew.poll();
    CHECK(anew.state() == link_state::up);
    CHECK(link.device().has_work());
    link.device().poll();
    CHECK(link.device().epoch() == epoch + 1);
    run(anew, link.device());
    CHECK(link.device().state() == link_state::up);
}

TEST_CASE("rings that move are noticed", "[bus][recovery]")
{
    loopback<> link;
    link.run();
    const auto which = GENERATE(0U, 1U);
    auto& da = link.table().vdev.vring[which].da;
    const auto before = da.get();
    da = before + 4096;
    CHECK(link.device().has_work());
    link.device().poll();
    CHECK(link.device().state() == link_state::lost);
    da = before;
}

// @spec virtio 1.2, 2.1.2; virtio 1.2, 3.2.1
TEST_CASE("a device that restarts on used rings asks for a reset, and stays away until there was one",
          "[bus][recovery]")
{
    loopback<> link;
    states seen;
    int unbound = 0;
    observer watch{link.driver(), on_link{[&](link_state s) { seen.push_back(s); }}};
    REQUIRE(watch.open());
    endpoint here{link.driver(), [](message) {}, on_unbound{[&] { ++unbound; }}};
    endpoint there{link.device()};
    REQUIRE((here.open("channel") && there.open("channel")));
    link.run();
    REQUIRE(here.is_bound());
    seen.clear();
    const auto rung = link.rang(virtio::role::device).total();

    device_bus<loopback_board> anew{link.table(), link.device_models()};
    ear ear_of_driver{link.driver()};
    endpoint again{anew};
    REQUIRE(again.open("channel"));
    for (int i = 0; i != 5; ++i)
        anew.poll();
    CHECK(anew.state() == link_state::negotiating);
    CHECK((link.table().vdev.status & virtio::status::needs_reset) != 0);
    CHECK((link.table().vdev.status & virtio::status::driver_ok) != 0);
    CHECK(anew.refusal() == errc{});
    CHECK_FALSE(anew.has_work());
    CHECK(link.rang(virtio::role::device).total() == rung + 1);

    CHECK(link.driver().has_work());
    run(link.driver(), anew);
    CHECK(seen == states{link_state::lost, link_state::negotiating, link_state::up});
    CHECK(unbound == 1);
    CHECK(anew.state() == link_state::up);
    CHECK(here.is_bound());
    CHECK(again.is_bound());
    CHECK(here.peer() == again.local());
}

TEST_CASE("a device that restarts before it did anything goes on with what the driver made",
          "[bus][recovery]")
{
    loopback<> link;
    link.driver().poll();
    device_bus<loopback_board> anew{link.table(), link.device_models()};
    run(link.driver(), anew);
    CHECK(anew.state() == link_state::up);
    CHECK(link.driver().state() == link_state::up);
    CHECK(link.driver().epoch() == 0);
}

TEST_CASE("a driver that knows how its peer is follows that", "[bus][recovery]")
{
    journal log;
    recording_lifecycle life;
    loopback<living_board, loopback_board> link{{}, {.lifecycle = life}};
    link.run();
    REQUIRE(link.driver().state() == link_state::up);

    SECTION("gone")
    {
        life.becomes(policy::peer_life::gone);
        link.driver().poll();
        link.driver().poll();
        CHECK(link.driver().state() == link_state::negotiating);
        CHECK(link.table().vdev.status == 0);
        link.run();
        CHECK(link.driver().state() == link_state::negotiating);
        life.becomes(policy::peer_life::alive);
        link.driver().poll();
        link.run();
    }
    SECTION("restarted") { life.becomes(policy::peer_life::restarted); }
    link.run();
    link.driver().poll();
    link.run();
    CHECK(link.driver().state() == link_state::up);
    CHECK(link.device().state() == link_state::up);
    CHECK(link.driver().epoch() == 1);
}

TEST_CASE("a device that knows how its peer is follows that", "[bus][recovery]")
{
    journal log;
    recording_lifecycle life;
    loopback<loopback_board, living_board> link{{}, {}, {.lifecycle = life}};
    link.run();
    REQUIRE(link.device().state() == link_state::up);
    life.becomes(policy::peer_life::gone);
    link.device().poll();
    CHECK(link.device().state() == link_state::lost);
    CHECK(link.device().epoch() == 1);
    link.device().poll();
    CHECK_FALSE(link.device().has_work());
    CHECK(link.device().state() == link_state::negotiating);

    // The driver comes back and starts over.
    life.becomes(policy::peer_life::alive);
    link.driver().stop();
    link.device().poll();
    link.driver().start();
    link.run();
    CHECK(link.device().state() == link_state::up);
}

TEMPLATE_TEST_CASE(
    "the link comes up again whoever fails when, and messages are neither lost nor doubled in it",
    "[bus][recovery]", as_driver, as_device)
{
    // Random, and the same each time.
    std::mt19937 random{TestType::role == virtio::role::driver ? 1U : 2U};
    loopback<board_of_4> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    std::vector<std::uint32_t> heard;
    std::vector<rx_buffer> held;
    endpoint in{there, [&](rx_buffer b) {
                    heard.push_back(*b.as<std::uint32_t>());
                    if (random() % 4 == 0)
                        held.push_back(std::move(b));
                }};
    endpoint out{here, typed<std::uint32_t>};
    REQUIRE((in.open(address{1}) && out.open(address{2}, towards{1})));
    std::vector<decltype(out.try_acquire())> slots;
    std::uint32_t next = 0;

    for (int i = 0; i != 3000; ++i) {
        switch (random() % 16) {
        case 0: link.driver().stop(); break;
        case 1: link.device().stop(); break;
        case 2: link.table().vdev.status = virtio::status::needs_reset; break;
        case 3: link.device().start(); break;
        case 4:
        case 5: link.driver().start(); break;
        case 6: slots.push_back(out.try_acquire()); break;
        case 7:
            if (!slots.empty()) {
                auto slot = std::move(slots.back());
                slots.pop_back();
                if (slot)
                    *slot = next;
                if (slot && std::move(slot).send())
                    ++next;
            }
            break;
        case 8: held.clear(); break;
        case 9: slots.clear(); break;
        case 10:
            if (out.try_send(next))
                ++next;
            break;
        case 11:
        case 12: link.driver().poll(); break;
        default: link.device().poll(); break;
        }
    }
    held.clear();
    slots.clear();
    link.driver().stop();
    link.device().stop();
    link.driver().start();
    link.device().start();
    link.run();
    REQUIRE(here.state() == link_state::up);
    REQUIRE(there.state() == link_state::up);
    CHECK(!heard.empty());
    // In order, and none twice.
    CHECK(std::adjacent_find(heard.begin(), heard.end(), std::greater_equal{}) == heard.end());

    heard.clear();
    std::vector<std::uint32_t> sent;
    for (int i = 0; i != 40; ++i) {
        if (out.try_send(next))
            sent.push_back(next++);
        held.clear();
        link.run();
    }
    CHECK(sent.size() == 40);
    CHECK(heard == sent);
    CHECK(there.stats()[fault::bad_length] + here.stats()[fault::bad_length] == 0);
}
