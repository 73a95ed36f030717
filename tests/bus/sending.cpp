#include <rpmsg/bus/sending.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <rpmsg/testing/recording_board.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;
using recorded = rpmsg::testing::event;

namespace {

/// A board that sleeps as the test's script says, and writes down what it did.
struct scripted_board : loopback_board {
    using ring = policy::ring_of<4>;
    using wait = recording_wait;
    using coherence = recording_coherence;
    using exclusion = recording_exclusion;
};
struct events_board : scripted_board {
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};
struct silent_peer_board : scripted_board {
    using dialect = policy::zephyr_static_vrings;
    static constexpr std::uint32_t look_period = 5;
};
struct lossy_bell : policy::doorbell_defaults {
    static constexpr bool can_be_lost = true;
};
struct lossy_board : scripted_board {
    using doorbell = counting_doorbell<lossy_bell>;
    static constexpr std::uint32_t look_period = 7;
};
struct restless_board : lossy_board {
    static constexpr std::uint32_t look_period = 0;
};
struct timeless_board : loopback_board {
    using ring = policy::ring_of<4>;
    using clock = policy::no_clock;
    using wait = policy::spin;
};

/// A link in which every buffer of `here` is with the peer.
template <typename Role, typename Board = scripted_board>
struct full_link {
    journal log;
    loopback<Board> link;
    endpoint<typename std::remove_cvref_t<decltype(Role::here(link))>::basic, void, no_receiver> out{
        Role::here(link)};

    full_link()
    {
        manual_clock::set(0);
        CHECK(out.open(address{1}, towards{2}));
        link.run();
        fill();
    }
    /// Sends as many as there are: nobody has asked for more.
    void fill()
    {
        for (int i = 0; i != Board::ring::capacity; ++i)
            CHECK(out.try_send({}));
        log.clear();
    }
    auto& here() { return Role::here(link); }
    auto& there() { return Role::there(link); }
    /// Whether the peer is asked not to ring for returned buffers.
    [[nodiscard]] bool is_suppressed() const
    {
        const auto ring = link.ring(tx_ring(Role::role));
        return Role::role == virtio::role::driver ? ring.avail().flags == 1 : ring.used().flags == 1;
    }
    /// The word by which it is asked.
    [[nodiscard]] const void* wish() const
    {
        const auto ring = link.ring(tx_ring(Role::role));
        return Role::role == virtio::role::driver ? &ring.avail().flags : &ring.used().flags;
    }
    /// The word that the peer publishes returned buffers with.
    [[nodiscard]] const void* news() const
    {
        const auto ring = link.ring(tx_ring(Role::role));
        return Role::role == virtio::role::driver ? &ring.used().idx : &ring.avail().idx;
    }
};

}  // namespace

TEMPLATE_TEST_CASE("a blocked sender is woken by the returned buffer", "[bus][rule5][openamp-2.4]", as_driver,
                   as_device)
{
    full_link<TestType> f;
    f.log.once(recorded::sleep, [&] { f.there().poll(); });

    SECTION("send") { CHECK(f.out.send(bytes("x"), 100ms)); }
    SECTION("send_to") { CHECK(f.out.send_to(address{3}, bytes("x"), 100ms)); }
    SECTION("send_from") { CHECK(f.out.send_from(address{4}, address{3}, bytes("x"), 100ms)); }
    SECTION("acquire") { CHECK(f.out.acquire(100ms).send(1)); }

    CHECK(f.log.count(recorded::sleep) == 1);
    CHECK(f.log.find({recorded::sleep})->detail == 1);
    CHECK(manual_clock::now() == 0);
    CHECK(f.log.mistakes() == 0);
}

TEMPLATE_TEST_CASE("a blocked sender gives up at its deadline", "[bus][rule5][openamp-2.4]", as_driver,
                   as_device)
{
    full_link<TestType> f;
    CHECK(f.out.send(bytes("x"), 20ms).error() == errc::timed_out);
    CHECK(manual_clock::now() == 20);
    CHECK(f.log.count(recorded::sleep) == 20);
    CHECK(f.out.acquire(5ms).error() == errc::timed_out);
    CHECK(manual_clock::now() == 25);

    SECTION("at once when that is past")
    {
        f.log.clear();
        CHECK(f.out.send(bytes("x"), 0ms).error() == errc::timed_out);
        CHECK(f.out.send(bytes("x"), {}).error() == errc::timed_out);
        CHECK(f.log.count(recorded::sleep) == 0);
    }
    SECTION("and nothing has changed: the link goes on")
    {
        f.link.run();
        for (int i = 0; i != 20; ++i) {
            CHECK(f.out.try_send(bytes("x")));
            f.link.run();
        }
    }
    CHECK(f.log.mistakes() == 0);
}

TEST_CASE("a sender on a board without a clock never waits", "[bus][rule5]")
{
    loopback<timeless_board> link;
    endpoint out{link.device()};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    for (int i = 0; i != 4; ++i)
        CHECK(out.send({}, 1h));
    CHECK(out.send({}, 1h).error() == errc::timed_out);
    CHECK(link.device().wait_link(1h));
}

TEMPLATE_TEST_CASE("before it waits it asks for a doorbell, and looks again after that",
                   "[bus][rule5][rule8]", as_driver, as_device)
{
    full_link<TestType> f;
    CHECK(f.is_suppressed());
    CHECK(f.out.send(bytes("x"), 1ms).error() == errc::timed_out);
    CHECK_FALSE(f.is_suppressed());
    CHECK(f.log.has_in_order({{recorded::store_relaxed, f.wish(), 0},
                              {recorded::full_barrier},
                              {recorded::load_acquire, f.news()},
                              {recorded::sleep}}));

    SECTION("and asks for silence when there are buffers again")
    {
        f.link.run();
        CHECK(f.is_suppressed());
        CHECK(f.out.try_send(bytes("x")));
    }
}

TEMPLATE_TEST_CASE("a buffer that comes back while it asks is found without a doorbell", "[bus][rule8][R9]",
                   as_driver, as_device)
{
    full_link<TestType> f;
    // The peer returns it after it was last looked for, and before it sees the wish: it does not ring.
    const auto peer = TestType::role == virtio::role::driver ? virtio::role::device : virtio::role::driver;
    const auto rung = f.link.rang(peer).total();
    f.log.once(recorded::store_relaxed, [&] { f.there().poll(); });
    CHECK(f.out.send(bytes("x"), 1ms));
    CHECK(f.link.rang(peer).total() == rung);
    CHECK(f.log.count(recorded::sleep) == 0);
    CHECK(manual_clock::now() == 0);
}

TEMPLATE_TEST_CASE("waiting for a buffer dispatches nothing", "[bus][rule5]", as_driver, as_device)
{
    full_link<TestType> f;
    int heard = 0;
    endpoint in{f.here(), [&](message) { ++heard; }};
    REQUIRE(in.open(address{50}));
    endpoint peer{f.there()};
    REQUIRE(peer.open(address{60}, towards{50}));
    REQUIRE(peer.try_send({}));

    CHECK(f.out.send({}, 10ms).error() == errc::timed_out);
    CHECK(heard == 0);
    f.log.once(recorded::sleep, [&] { f.there().poll(); });
    CHECK(f.out.send({}, 10ms));
    CHECK(heard == 0);
    f.here().poll();
    CHECK(heard == 1);
}

TEMPLATE_TEST_CASE("a sender that waits hears when there is no hope", "[bus][rule5]", as_driver, as_device)
{
    full_link<TestType> f;
    auto expected = errc::link_down;

    SECTION("because the link is gone")
    {
        f.log.once(recorded::sleep, [&] { f.link.table().vdev.status = std::uint8_t{0}; });
    }
    SECTION("because the peer asks for a reset")
    {
        f.log.once(recorded::sleep, [&] { f.link.table().vdev.status = virtio::status::needs_reset; });
    }
    SECTION("because its endpoint was closed by another context")
    {
        f.log.once(recorded::sleep, [&] {
            f.log.run_as(2);
            CHECK(f.out.close());
            f.there().poll();
            f.log.run_as(1);
        });
        expected = errc::closed;
    }
    SECTION("because its bus was stopped by another context")
    {
        f.log.once(recorded::sleep, [&] {
            f.log.run_as(2);
            f.here().stop();
            f.log.run_as(1);
        });
    }
    CHECK(f.out.send({}, 100ms).error() == expected);
    CHECK(manual_clock::now() <= 1);
    CHECK(f.log.mistakes() == 0);
}

TEMPLATE_TEST_CASE("while an endpoint with a result is open, ordinary sends leave one buffer for it",
                   "[bus][replies]", as_driver, as_device)
{
    loopback<scripted_board> link;
    auto& here = TestType::here(link);
    endpoint out{here};
    endpoint echo{here, [](message m) { return m.payload(); }};
    endpoint also{here, [](message m) { return m.payload(); }};
    REQUIRE(out.open(address{1}, towards{2}));
    REQUIRE(echo.open(address{3}));
    REQUIRE(also.open(address{4}));
    link.run();
    int sent = 0;
    while (out.try_send({}))
        ++sent;
    CHECK(sent == 3);
    CHECK(out.try_acquire().error() == errc::full);

    SECTION("until the last of them is closed")
    {
        REQUIRE(echo.close());
        CHECK(out.try_send({}).error() == errc::full);
        REQUIRE(also.close());
        CHECK(out.try_send({}));
        CHECK(out.try_send({}).error() == errc::full);
    }
    SECTION("also when there was a reply")
    {
        endpoint asks{TestType::there(link)};
        REQUIRE(asks.open(address{2}, towards{3}));
        link.run();
        REQUIRE(asks.try_send({}));
        link.run();
        for (sent = 0; out.try_send({});)
            ++sent;
        CHECK(sent == 3);
    }
    SECTION("whether that one came back or was never sent")
    {
        auto& there = TestType::there(link);
        there.poll(1);
        CHECK(out.try_send({}));  // one came back, and one was never sent
        CHECK(out.try_send({}).error() == errc::full);

        REQUIRE(echo.close());
        REQUIRE(also.close());
        while (out.try_send({}))
            ;
        REQUIRE(echo.open(address{3}));
        there.poll(1);
        for (int i = 0; i != 2; ++i)
            CHECK(out.try_send({}).error() == errc::full);  // all were sent, and one came back
        there.poll(1);
        CHECK(out.try_send({}));
        CHECK(out.try_send({}).error() == errc::full);
    }
}

TEST_CASE("a payload that is too long for the one buffer that is next is refused", "[bus][rule3]")
{
    loopback<scripted_board> link{{.to_driver_size = 128}};
    std::vector<std::size_t> heard;
    endpoint in{link.driver(), [&](message m) { heard.push_back(m.size()); }};
    endpoint out{link.device()};
    REQUIRE(in.open(address{2}));
    REQUIRE(out.open(address{1}, towards{2}));
    link.driver().poll();
    link.ring(policy::vring_id::to_driver).descriptor_at(1).len = 64U;
    link.run();

    const std::string most(112, 'm');
    REQUIRE(link.device().max_payload() == most.size());
    CHECK(out.try_send(bytes(most)));
    CHECK(out.try_send(bytes(most)).error() == errc::too_long);
    CHECK(out.try_send(bytes(most).first(49)).error() == errc::too_long);
    CHECK(out.try_send(bytes(most).first(48)));
    CHECK(out.try_send(bytes(most)));
    link.run();
    CHECK(heard == std::vector<std::size_t>{112, 48, 112});
}

TEMPLATE_TEST_CASE("with EVENT_IDX each wait asks anew", "[bus][rule5][rule10]", as_driver, as_device)
{
    full_link<TestType, events_board> f;
    const auto ring = f.link.ring(tx_ring(TestType::role));
    const auto& wish = TestType::role == virtio::role::driver ? ring.used_event(4) : ring.avail_event(4);
    const auto peer = TestType::role == virtio::role::driver ? virtio::role::device : virtio::role::driver;

    for (std::uint16_t round = 1; round != 4; ++round) {
        // It is to ring for the first buffer that comes back from here on: 4 a round.
        const auto rung = f.link.rang(peer).total();
        CHECK(f.out.send({}, 1ms).error() == errc::timed_out);
        CHECK(wish == (round - 1) * 4 + (TestType::role == virtio::role::device ? 4 : 0));
        f.there().poll();
        CHECK(f.link.rang(peer).total() == rung + 1);
        f.fill();
    }
    CHECK(f.log.mistakes() == 0);
}

TEMPLATE_TEST_CASE("where a doorbell may be missing, a wait also looks at the board's period", "[bus][rule5]",
                   as_driver, as_device)
{
    SECTION("because the peer returns buffers silently")
    {
        full_link<TestType, silent_peer_board> f;
        CHECK(f.out.send({}, 20ms).error() == errc::timed_out);
        CHECK(f.log.find({recorded::sleep})->value == 5);
    }
    SECTION("because it can be lost")
    {
        full_link<TestType, lossy_board> f;
        CHECK(f.out.send({}, 20ms).error() == errc::timed_out);
        CHECK(f.log.find({recorded::sleep})->value == 7);
        f.log.clear();
        CHECK(f.out.send({}, 3ms).error() == errc::timed_out);
        CHECK(f.log.find({recorded::sleep})->value == 3);
    }
    SECTION("or at each turn where the board names none")
    {
        full_link<TestType, restless_board> f;
        CHECK(f.out.send({}, 20ms).error() == errc::timed_out);
        CHECK(f.log.find({recorded::sleep})->value == 0);
    }
    SECTION("and elsewhere sleeps until the deadline")
    {
        full_link<TestType> f;
        CHECK(f.out.send({}, 20ms).error() == errc::timed_out);
        CHECK(f.log.find({recorded::sleep})->value == 20);
    }
}

TEMPLATE_TEST_CASE("who found no buffer and does not wait is told when there is one", "[bus][on_tx_ready]",
                   as_driver, as_device)
{
    full_link<TestType> f;
    int told = 0;
    bool could_send = false;
    observer watch{f.here(), on_tx_ready{[&] {
                       ++told;
                       could_send = f.out.try_send(bytes("x")).has_value();
                   }}};
    REQUIRE(watch.open());

    SECTION("not in the next link when this one goes")
    {
        CHECK(f.out.try_send({}).error() == errc::full);
        f.link.driver().stop();
        f.link.device().poll();
        f.link.driver().start();
        f.link.run();
        CHECK(f.here().state() == link_state::up);
        CHECK(told == 0);
    }
    SECTION("nobody is told who did not ask")
    {
        f.link.run();
        CHECK(told == 0);
    }
    SECTION("once each time")
    {
        for (int i = 1; i != 4; ++i) {
            CHECK(f.out.try_send({}).error() == errc::full);
            CHECK(f.out.try_acquire().error() == errc::full);
            f.here().poll();
            CHECK(told == i - 1);
            f.link.run();
            CHECK(told == i);
            CHECK(could_send);
            f.link.run();
            CHECK(told == i);
            f.fill();
        }
    }
}

TEMPLATE_TEST_CASE("contexts that interrupt a send may send too", "[bus][rule5]", as_driver, as_device)
{
    journal log;
    loopback<scripted_board> link;
    std::string heard;
    endpoint in{TestType::there(link), [&](message m) { heard += text(m.payload()); }};
    endpoint out{TestType::here(link)};
    REQUIRE(in.open(address{2}));
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();

    // Wherever the one is interrupted, the other gets through: its bytes are cleaned while no lock is held.
    const auto where = GENERATE(recorded::clean, recorded::leave, recorded::full_barrier);
    CAPTURE(where);
    bool interrupted = false;
    log.when(where, [&] {
        if (interrupted || log.is_locked())
            return;
        interrupted = true;
        log.run_as(2);
        CHECK(out.try_send(bytes("i")));
        log.run_as(1);
    });
    for (int i = 0; i != 2; ++i)
        REQUIRE(out.try_send(bytes("t")));
    link.run();
    CHECK(heard.size() == (interrupted ? 3 : 2));
    CHECK(std::count(heard.begin(), heard.end(), 't') == 2);
    CHECK(log.mistakes() == 0);
    link.run();
    CHECK(link.driver().stats().total() + link.device().stats().total() == 0);
    log.react_no_more();
}

TEMPLATE_TEST_CASE("no lock is held while a payload is made visible", "[bus][rule7]", as_driver, as_device)
{
    journal log;
    loopback<scripted_board> link;
    endpoint out{TestType::here(link)};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    auto slot = out.try_acquire();
    REQUIRE(slot);
    const auto* const payload = slot.payload().data();
    log.clear();
    REQUIRE(std::move(slot).send(7));

    // Between the last leave() before it and the first enter() after it.
    int locks = 0;
    int cleaned = 0;
    for (const auto& entry : log.entries()) {
        locks += entry.what == recorded::enter ? 1 : entry.what == recorded::leave ? -1 : 0;
        if (step{recorded::clean, payload}.fits(entry)) {
            ++cleaned;
            CHECK(locks == 0);
        }
    }
    CHECK(cleaned == 1);
    CHECK(log.mistakes() == 0);
}

TEMPLATE_TEST_CASE("a send that is interrupted by the link's end is stale", "[bus]", as_driver, as_device)
{
    journal log;
    loopback<scripted_board> link;
    endpoint out{TestType::here(link)};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    log.once(recorded::clean, [&] {
        log.run_as(2);
        TestType::here(link).stop();
        log.run_as(1);
    });
    CHECK(out.try_send(bytes("x")).error() == errc::stale);
    CHECK(TestType::here(link).state() == link_state::down);
    CHECK(log.mistakes() == 0);
}

namespace {

struct four_with_events : loopback_board {
    using ring = policy::ring_of<4>;
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};
struct four_with_flags : loopback_board {
    using ring = policy::ring_of<4>;
};

}  // namespace

TEMPLATE_TEST_CASE("who is left the kept buffer alone is rung for the next one", "[bus][rule7]",
                   (std::pair<as_driver, four_with_events>), (std::pair<as_device, four_with_events>),
                   (std::pair<as_driver, four_with_flags>), (std::pair<as_device, four_with_flags>))
{
    using role = typename TestType::first_type;
    loopback<typename TestType::second_type> link;
    auto& here = role::here(link);
    auto& there = role::there(link);
    constexpr auto peer = role::role == virtio::role::driver ? virtio::role::device : virtio::role::driver;
    int ready = 0;
    observer watch{here, on_tx_ready{[&] { ++ready; }}};
    endpoint out{here};
    endpoint echo{here, [](message m) { return m.payload(); }};
    REQUIRE(watch.open());
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    while (out.try_send({})) {}
    REQUIRE(echo.open(address{3}));

    auto rung = link.rang(peer).total();
    there.poll(1);  // the one that comes back is kept for replies
    CHECK(link.rang(peer).total() == rung + 1);
    here.poll();
    CHECK(ready == 0);
    CHECK(out.try_send({}).error() == errc::full);
    rung = link.rang(peer).total();
    there.poll(1);
    CHECK(link.rang(peer).total() == rung + 1);
    here.poll();
    CHECK(ready == 1);
}

TEST_CASE("a driver's restart is one loss, whoever sends meanwhile", "[bus][rule5][restart]")
{
    const auto at = GENERATE(range(0, 12));
    journal log;
    loopback<scripted_board> link;
    auto& here = link.device();
    endpoint out{here};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    for (int i = 0; i != 6; ++i) {
        while (out.try_send({})) {}
        link.run();
    }
    while (out.try_send({})) {}
    link.driver().stop();
    link.driver().start();
    int left = at;
    log.when(recorded::enter, [&] {
        if (left-- != 0)
            return;
        log.run_as(2);
        static_cast<void>(out.try_send({}));
        log.run_as(1);
    });
    here.poll();
    left = -1;
    link.run();
    CAPTURE(at);
    CHECK(here.epoch() == 1);
    // Who sends before the poll looked finds rings that make no sense, and has them made anew.
    CHECK(here.stats()[fault::ring_broken] == link.driver().epoch() - 1);
    log.react_no_more();
}
