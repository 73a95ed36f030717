#include <rpmsg/bus/bus_state.hpp>

#include "bus/fixture.hpp"
#include "platform/linux/forked.hpp"
#include "support/catch.hpp"

#include <rpmsg/platform/linux/thread_exclusion.hpp>
#include <rpmsg/testing/recording_board.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;
using policy::vring_id;
using recorded = rpmsg::testing::event;

namespace {

/// Writes down locks and doorbells; the test says which context calls.
struct interrupt_board : loopback_board {
    using exclusion = recording_exclusion;
};
struct recording_link_board : loopback_board {
    using exclusion = recording_exclusion;
    using coherence = recording_coherence;
    using doorbell = recording_doorbell;
};
struct cheap : policy::doorbell_defaults {
    static constexpr bool always_ring = true;
};
struct cheap_board : recording_link_board {
    using doorbell = basic_recording_doorbell<cheap>;
};
struct by_id : policy::doorbell_defaults {
    static constexpr bool carries_queue_id = true;
};
struct id_board : loopback_board {
    using doorbell = counting_doorbell<by_id>;
};
struct deaf_board : loopback_board {
    using doorbell = policy::no_doorbell;
};
struct stubborn_board : loopback_board {
    using dialect = policy::rpmsg_lite;
};

template <typename Bus>
using receiver_of = endpoint<typename Bus::basic, void, std::function<void(message)>>;

/// Two endpoints, 1 and 2, of one bus that do what the test says; 3 is free. The peer sends to all of them.
template <typename Role>
struct two_endpoints {
    loopback<> link;
    using here_type = std::remove_cvref_t<decltype(Role::here(link))>;
    using there_type = std::remove_cvref_t<decltype(Role::there(link))>;
    std::string heard;
    std::function<void()> in_a = [] {};
    std::function<void()> in_b = [] {};
    std::optional<receiver_of<here_type>> a;
    std::optional<receiver_of<here_type>> b;
    std::optional<receiver_of<here_type>> c;
    endpoint<typename there_type::basic, void, no_receiver> out{Role::there(link)};

    two_endpoints()
    {
        make(a, 'a', in_a);
        make(b, 'b', in_b);
        c.emplace(Role::here(link), [this](const message&) { heard += 'c'; });
        CHECK(a->open(address{1}));
        CHECK(b->open(address{2}));
        CHECK(out.open(address{9}));
        link.run();
    }
    void make(std::optional<receiver_of<here_type>>& e, char name, std::function<void()>& then)
    {
        e.emplace(Role::here(link), [this, name, &then](const message&) {
            heard += name;
            then();
        });
    }
    void send(std::initializer_list<std::uint32_t> to)
    {
        for (const auto where : to)
            CHECK(out.try_send_to(address{where}, {}));
        link.run();
    }
    [[nodiscard]] std::uint32_t unknown() const
    {
        return const_cast<two_endpoints*>(this)->here().stats()[fault::unknown_destination];
    }
    auto& here() { return Role::here(link); }
};

/// Whether a process that does this ends by it.
bool ends_the_program(auto what)
{
    platform_test::forked child{[&] {
        const auto nowhere = ::open("/dev/null", O_WRONLY);
        ::dup2(nowhere, 1);
        ::dup2(nowhere, 2);
        for (const auto fatal : {SIGILL, SIGTRAP, SIGABRT, SIGSEGV})
            ::signal(fatal, SIG_DFL);  // or Catch2 reports it, into the file that we share
        what();
        return true;
    }};
    return !child.went_well();
}

}  // namespace

// Closing and destroying

TEMPLATE_TEST_CASE("an endpoint that closes in its own receiver is closed when that returns",
                   "[bus][closing][openamp-3.4]", as_driver, as_device)
{
    two_endpoints<TestType> t;
    t.in_a = [&] {
        CHECK(t.a->is_open());
        CHECK(t.a->close());
        CHECK_FALSE(t.a->is_open());
        // Until then it is still there: it can send, and its address is taken.
        CHECK(t.a->try_send_to(address{77}, {}));
        CHECK(t.c->open(address{1}).error() == errc::address_in_use);
    };
    t.send({1, 1, 2});
    CHECK(t.heard == "ab");
    CHECK(t.unknown() == 1);
    CHECK(t.a->close().error() == errc::closed);
    CHECK(t.c->open(address{1}));
    t.send({1});
    CHECK(t.heard == "abc");
}

TEMPLATE_TEST_CASE("an endpoint may be destroyed in its own receiver", "[bus][closing][openamp-3.4]",
                   as_driver, as_device)
{
    two_endpoints<TestType> t;
    SECTION("straight away")
    {
        t.in_a = [&] { t.a.reset(); };
    }
    SECTION("after it was closed")
    {
        t.in_a = [&] {
            CHECK(t.a->close());
            t.a.reset();
        };
    }
    SECTION("and another opened at its address")
    {
        t.in_a = [&] {
            t.a.reset();
            CHECK(t.c->open(address{1}));
        };
    }
    SECTION("and another made where it was")
    {
        auto* const where = &*t.a;
        t.in_a = [&, where] {
            t.a.reset();
            t.a.emplace(t.here(), [&](const message&) { t.heard += 'A'; });
            CHECK(&*t.a == where);
            CHECK(t.a->open(address{3}));
        };
    }
    // What the receiver owned went with it, so the test's function must not be touched any more.
    const auto gone = std::exchange(t.in_a, [] {});
    t.make(t.a, 'a', t.in_b);
    t.in_b = gone;
    REQUIRE(t.a->open(address{1}));
    t.send({1, 1, 3});
    CHECK(t.heard.substr(0, 1) == "a");
    CHECK(t.here().state() == link_state::up);
}

TEMPLATE_TEST_CASE("an endpoint may close or destroy another in its receiver", "[bus][closing]", as_driver,
                   as_device)
{
    two_endpoints<TestType> t;
    SECTION("whose message is the next in the ring")
    {
        t.in_a = [&] { t.b.reset(); };
        t.send({1, 2, 2});
        CHECK(t.heard == "a");
        CHECK(t.unknown() == 2);
    }
    SECTION("which closes it at once")
    {
        t.in_a = [&] {
            CHECK(t.b->close());
            CHECK(t.b->close().error() == errc::closed);
            CHECK(t.c->open(address{2}));
        };
        t.send({1, 2});
        CHECK(t.heard == "ac");
    }
    SECTION("and be destroyed itself")
    {
        t.in_a = [&] {
            auto* const self = &t;
            self->b.reset();
            self->a.reset();
        };
        t.send({1, 2, 1});
        CHECK(t.heard == "a");
        CHECK(t.unknown() == 2);
    }
}

TEMPLATE_TEST_CASE("a receiver may open endpoints, which hear the next message", "[bus][closing]", as_driver,
                   as_device)
{
    two_endpoints<TestType> t;
    t.in_a = [&] {
        if (!t.c->is_open())
            CHECK(t.c->open(address{3}));
    };
    t.send({3, 1, 3});
    CHECK(t.heard == "ac");
    CHECK(t.unknown() == 1);
}

TEMPLATE_TEST_CASE("an endpoint that goes when it is bound does not hear the message", "[bus][closing]",
                   as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    using bound_endpoint = endpoint<typename std::remove_cvref_t<decltype(here)>::basic, void,
                                    std::function<void(message)>, on_bound<std::function<void()>>>;
    std::optional<bound_endpoint> e;
    std::function<void()> when_bound;
    int heard = 0;
    e.emplace(here, [&](const message&) { ++heard; }, on_bound{std::function<void()>{[&] { when_bound(); }}});
    endpoint out{TestType::there(link)};
    REQUIRE(out.open(address{9}, towards{1}));
    REQUIRE(e->open("name", address{1}));
    link.run();

    SECTION("closing, by a message")
    {
        when_bound = [&] { CHECK(e->close()); };
        REQUIRE(out.try_send({}));
    }
    SECTION("destroyed, by a message")
    {
        when_bound = [&] { e.reset(); };
        REQUIRE(out.try_send({}));
    }
    SECTION("closing, by an announcement")
    {
        when_bound = [&] { CHECK(e->close()); };
        endpoint named{TestType::there(link)};
        REQUIRE(named.open("name"));
        link.run();
    }
    SECTION("destroyed, by an announcement")
    {
        when_bound = [&] { e.reset(); };
        endpoint named{TestType::there(link)};
        REQUIRE(named.open("name"));
        link.run();
    }
    link.run();
    CHECK(heard == 0);
    CHECK((!e || !e->is_open()));
    REQUIRE(out.try_send_to(address{1}, {}));
    link.run();
    CHECK(here.stats()[fault::unknown_destination] == 1);
}

TEMPLATE_TEST_CASE("a walk over the endpoints survives what they do to each other", "[bus][closing][rule7]",
                   as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    using bound_endpoint = endpoint<typename std::remove_cvref_t<decltype(here)>::basic, void,
                                    std::function<void(message)>, on_bound<std::function<void()>>>;
    std::vector<std::optional<bound_endpoint>> all(5);
    std::string bound;
    std::function<void()> in_c = [] {};
    for (std::size_t i = 0; i != all.size(); ++i) {
        all[i].emplace(
            here, [](const message&) {}, on_bound{std::function<void()>{[&, i] {
                bound += static_cast<char>('a' + i);
                if (i == 2)
                    std::exchange(in_c, [] {})();
            }}});
        if (i != 4)
            REQUIRE(all[i]->open(address{static_cast<std::uint32_t>(10 + i)}, towards{1}));
    }
    std::string expected = "abcd";

    SECTION("nothing") {}
    SECTION("destroying itself")
    {
        in_c = [&] { all[2].reset(); };
    }
    SECTION("closing itself")
    {
        in_c = [&] { CHECK(all[2]->close()); };
    }
    SECTION("destroying the next")
    {
        in_c = [&] { all[3].reset(); };
        expected = "abc";
    }
    SECTION("destroying the one before")
    {
        in_c = [&] { all[1].reset(); };
    }
    SECTION("destroying all")
    {
        in_c = [&] {
            for (auto& e : all)
                e.reset();
        };
        expected = "abc";
    }
    SECTION("opening another: it is bound at its opening, and told once or not")
    {
        in_c = [&] { CHECK(all[4]->open(address{99}, towards{1})); };
        expected.clear();
    }
    link.run();
    CHECK((expected.empty() ? bound.substr(0, 4) == "abcd" : bound == expected));
    CHECK(here.state() == link_state::up);
}

// Contexts

TEMPLATE_TEST_CASE("what interrupted a receiver cannot close its endpoint", "[bus][closing][rule5]",
                   as_driver, as_device)
{
    journal log;
    loopback<interrupt_board> link;
    auto& here = TestType::here(link);
    std::vector<errc> answers;
    std::function<void()> interrupt;
    endpoint other{here};
    receiver_of<std::remove_cvref_t<decltype(here)>> in{here, [&](const message&) {
                                                            log.run_as(2);
                                                            interrupt();
                                                            log.run_as(1);
                                                        }};
    endpoint out{TestType::there(link)};
    REQUIRE((in.open(address{1}) && other.open(address{2}) && out.open(address{9}, towards{1})));
    link.run();

    SECTION("but says that it is busy, and nothing has changed")
    {
        interrupt = [&] {
            answers.push_back(in.close().error());
            CHECK(in.is_open());
        };
        REQUIRE(out.try_send({}));
        link.run();
        CHECK(answers == std::vector{errc::busy});
        CHECK(in.is_open());
        CHECK(in.close());
    }
    SECTION("nor what it is told when it is bound")
    {
        std::function<void()> in_bound = [] {};
        endpoint named{here, [](const message&) {}, on_bound{[&] {
                           log.run_as(2);
                           in_bound();
                           log.run_as(1);
                       }}};
        in_bound = [&] { answers.push_back(named.close().error()); };
        endpoint peer{TestType::there(link)};
        REQUIRE((named.open("named") && peer.open("named")));
        link.run();
        CHECK(answers == std::vector{errc::busy});
        CHECK(named.is_bound());
        CHECK(named.close());
    }
    SECTION("but another")
    {
        interrupt = [&] { answers.push_back(other.close().error()); };
        REQUIRE(out.try_send({}));
        link.run();
        CHECK(answers == std::vector{errc{}});
        CHECK_FALSE(other.is_open());
    }
    SECTION("nor an observer's function the observer")
    {
        int told = 0;
        std::function<void()> in_watch = [] {};
        observer watch{here, on_error{[&] {
                           ++told;
                           log.run_as(2);
                           in_watch();
                           log.run_as(1);
                       }}};
        in_watch = [&] { answers.push_back(watch.close().error()); };
        REQUIRE(watch.open());
        REQUIRE(out.try_send_to(address{77}, {}));
        link.run();
        CHECK(answers == std::vector{errc::busy});
        CHECK(told == 1);
        CHECK(watch.close());
    }
    SECTION("and ends the program if it destroys it")
    {
        auto* const doomed = new receiver_of<std::remove_cvref_t<decltype(here)>>{here, [&](const message&) {
                                                                                      log.run_as(2);
                                                                                      interrupt();
                                                                                      log.run_as(1);
                                                                                  }};
        REQUIRE(doomed->open(address{5}));
        interrupt = [&] { delete doomed; };
        CHECK(ends_the_program([&] {
            static_cast<void>(out.try_send_to(address{5}, {}));
            link.run();
        }));
        interrupt = [] {};
        delete doomed;
    }
    CHECK(log.mistakes() == 0);
}

TEST_CASE("an exception that leaves a receiver ends the program", "[bus]")
{
    loopback<> link;
    endpoint in{link.device(), [](const message&) { throw std::runtime_error{"lost"}; }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    CHECK(ends_the_program([&] {
        static_cast<void>(out.try_send({}));
        link.run();
    }));
}

TEMPLATE_TEST_CASE("no lock is held while user code runs", "[bus][rule7]", as_driver, as_device)
{
    journal log;
    loopback<interrupt_board> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    int calls = 0;
    const auto user_code = [&] {
        ++calls;
        CHECK_FALSE(log.is_locked());
    };
    endpoint in{here, [&](message) { user_code(); }, on_bound{user_code}, on_unbound{user_code}};
    endpoint echo{here, [&](message m) { return user_code(), m.payload(); }};
    endpoint number{here, typed<std::uint32_t>, [&](const std::uint32_t&) { user_code(); }};
    observer watch{here,
                   on_announced{user_code},
                   on_withdrawn{user_code},
                   on_link{user_code},
                   on_error{user_code},
                   on_tx_ready{user_code}};
    REQUIRE((watch.open() && in.open("in") && echo.open(address{1}) && number.open(address{2})));
    endpoint peer{there};
    endpoint news{there};
    REQUIRE((peer.open("in") && news.open("news")));
    link.run();
    REQUIRE(peer.try_send_to(in.local(), {}));
    REQUIRE(peer.try_send_to(address{1}, {}));
    REQUIRE(peer.try_send_to(address{2}, bytes("four")));
    REQUIRE(peer.try_send_to(address{99}, {}));
    link.run();
    REQUIRE(news.close());
    while (in.try_send({})) {}
    link.run();
    link.driver().stop();
    link.run();
    CHECK(calls >= 11);
    CHECK(log.mistakes() == 0);
}

TEMPLATE_TEST_CASE("a link that was given up ends once, whoever finds it broken meanwhile", "[bus][rule3]",
                   as_driver, as_device)
{
    journal log;
    loopback<interrupt_board> link;
    auto& here = TestType::here(link);
    endpoint out{here};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    while (out.try_send({})) {}
    const auto ring = link.ring(tx_ring(TestType::role));
    auto& idx = TestType::role == virtio::role::driver ? ring.used().idx : ring.avail().idx;
    idx = static_cast<std::uint16_t>(idx.get() + 17);
    REQUIRE_FALSE(out.try_send({}));

    // Wherever the poll that ends the link is interrupted, somebody else sends and finds the same.
    bool armed = true;
    log.when(recorded::enter, [&] {
        if (!std::exchange(armed, false))
            return;
        log.run_as(2);
        CHECK_FALSE(out.try_send({}));
        log.run_as(1);
        armed = true;
    });
    here.poll();
    armed = false;
    link.run();
    CHECK(here.state() == link_state::up);
    CHECK(here.epoch() == 1);
    CHECK(here.stats()[fault::ring_broken] == 1);
    CHECK(log.mistakes() == 0);
    log.react_no_more();
}

// Doorbells

TEMPLATE_TEST_CASE("what is sent is published, and only then it is asked whether to ring", "[bus][rule8][R9]",
                   as_driver, as_device)
{
    journal log;
    loopback<recording_link_board> link;
    endpoint out{TestType::here(link)};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    const auto ring = link.ring(tx_ring(TestType::role));
    const bool is_driver = TestType::role == virtio::role::driver;
    const void* const index = is_driver ? &ring.avail().idx : &ring.used().idx;
    const void* const wish = is_driver ? &ring.used().flags : &ring.avail().flags;
    log.clear();

    SECTION("and the peer wants it")
    {
        REQUIRE(out.try_send({}));
        CHECK(log.has_in_order(
            {{recorded::store_release, index},
             {recorded::full_barrier},
             {recorded::load_relaxed, wish},
             {recorded::ring, nullptr, static_cast<std::uint64_t>(tx_ring(TestType::role))}}));
        CHECK(log.count(recorded::ring) == 1);
    }
    SECTION("and the peer does not")
    {
        if (is_driver)
            ring.used().flags = wire::used_no_notify;
        else
            ring.avail().flags = wire::avail_no_interrupt;
        REQUIRE(out.try_send({}));
        CHECK(log.count(recorded::ring) == 0);
        CHECK(log.count(recorded::full_barrier) == 1);
    }
}

TEST_CASE("a doorbell that is cheap is rung without asking", "[bus][rule8]")
{
    journal log;
    loopback<cheap_board> link;
    endpoint out{link.driver()};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    link.ring(vring_id::to_device).used().flags = wire::used_no_notify;
    log.clear();
    REQUIRE(out.try_send({}));
    CHECK(log.count(recorded::ring) == 1);
    CHECK(log.count(recorded::full_barrier) == 0);
}

TEST_CASE("a peer that does not mean its suppression is rung all the same", "[bus][rule8][R8]")
{
    loopback<stubborn_board> link;
    endpoint out{link.driver()};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    link.ring(vring_id::to_device).used().flags = wire::used_no_notify;
    const auto before = link.rang(virtio::role::driver).total();
    REQUIRE(out.try_send({}));
    CHECK(link.rang(virtio::role::driver).total() == before + 1);
}

TEST_CASE("where everybody polls nothing is rung", "[bus][rule8]")
{
    loopback<deaf_board> link;
    int heard = 0;
    endpoint in{link.device(), [&](message m) { return ++heard, m.payload(); }};
    endpoint out{link.driver()};
    REQUIRE((in.open(address{1}) && out.open(address{2}, towards{1})));
    link.run();
    for (int i = 0; i != 40; ++i) {
        CHECK(out.try_send({}));
        link.run();
    }
    CHECK(heard == 40);
    CHECK(link.rang(virtio::role::driver).total() == 0);
}

TEST_CASE("after a poll there is one doorbell, or one a ring where it says which", "[bus][rule10]")
{
    const auto rung = [](auto& link) {
        endpoint echo{link.device(), [](message m) { return m.payload(); }};
        endpoint out{link.driver()};
        CHECK((echo.open(address{1}) && out.open(address{2}, towards{1})));
        link.run();
        // The driver waits for returned buffers and for replies: both are news.
        while (out.try_send({})) {}
        const auto before = link.rang(virtio::role::device);
        // With every buffer here the first goes back at once, which rings; the rest is told at the end.
        link.device().poll();
        return std::pair{link.rang(virtio::role::device)[vring_id::to_driver] - before[vring_id::to_driver],
                         link.rang(virtio::role::device)[vring_id::to_device] - before[vring_id::to_device]};
    };
    SECTION("one for both")
    {
        loopback<> link;
        CHECK(rung(link) == std::pair{1U, 1U});
    }
    SECTION("one for each")
    {
        loopback<id_board> link;
        const auto both = rung(link);
        CHECK(both.first == 1);
        CHECK(both.second >= 1);
        CHECK(both.second <= 2);
        CHECK(link.rang(virtio::role::device).notify_id != wire::resource_any);
    }
}

TEMPLATE_TEST_CASE("who stops rings, whatever the peer wishes", "[bus][peers]", as_driver, as_device)
{
    loopback<> link;
    link.run();
    const auto ring = link.ring(tx_ring(TestType::role));
    (TestType::role == virtio::role::driver ? ring.used().flags : ring.avail().flags) = std::uint16_t{1};
    const auto before = link.rang(TestType::role)[tx_ring(TestType::role)];
    TestType::here(link).stop();
    CHECK(link.rang(TestType::role)[tx_ring(TestType::role)] == before + 1);
    TestType::here(link).stop();
    CHECK(link.rang(TestType::role)[tx_ring(TestType::role)] == before + 1);
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_probe()
TEST_CASE("a driver rings once after DRIVER_OK, whatever the device wishes", "[bus][peers]")
{
    loopback<> link;
    link.driver().poll();
    CHECK(link.rang(virtio::role::driver)[vring_id::to_driver] == 1);
    link.driver().poll();
    CHECK(link.rang(virtio::role::driver).total() == 1);
}

// Threads

namespace {

struct thread_board : loopback_board {
    using exclusion = platform::thread_exclusion;
    using doorbell = policy::no_doorbell;
    using wait = policy::yielding<[]() noexcept { std::this_thread::yield(); }>;
    using clock = policy::no_clock;
};

}  // namespace

TEMPLATE_TEST_CASE("who closes an endpoint whose receiver another thread runs waits until it has left",
                   "[bus][closing][thread]", as_driver, as_device)
{
    loopback<thread_board> link;
    auto& here = TestType::here(link);
    std::atomic<bool> inside{false};
    std::atomic<bool> may_leave{false};
    std::atomic<bool> left{false};
    std::atomic<bool> closed{false};
    using waiting =
        endpoint<typename std::remove_cvref_t<decltype(here)>::basic, void, std::function<void(message)>>;
    auto in = std::make_unique<waiting>(here, [&](const message&) {
        inside = true;
        while (!may_leave)
            std::this_thread::yield();
        left = true;
    });
    endpoint out{TestType::there(link)};
    REQUIRE((in->open(address{1}) && out.open(address{2}, towards{1})));
    link.run();
    REQUIRE(out.try_send({}));

    std::thread polls{[&] { here.poll(); }};
    while (!inside)
        std::this_thread::yield();
    const bool destroys = GENERATE(false, true);
    std::thread closes{[&] {
        if (destroys)
            in.reset();
        else
            CHECK(in->close());
        closed = true;
        CHECK(left);
    }};
    for (int i = 0; i != 20; ++i)
        std::this_thread::yield();
    CHECK_FALSE(closed);
    may_leave = true;
    closes.join();
    polls.join();
    CHECK(closed);
}

TEST_CASE("threads send, open and close while others poll, and nothing is lost", "[bus][thread]")
{
    constexpr int senders = 2;
    constexpr int messages = 200;
    loopback<thread_board> link;
    std::atomic<int> heard{0};
    std::atomic<bool> done{false};
    endpoint in{link.device(), [&](message) { ++heard; }};
    endpoint echo{link.device(), [](message m) { return m.payload(); }};
    REQUIRE((in.open(address{1}) && echo.open(address{2})));
    link.run();

    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        while (!done)
            link.device().poll();
    });
    threads.emplace_back([&] {
        while (!done)
            link.driver().poll();
    });
    threads.emplace_back([&] {
        while (!done) {
            endpoint passing{link.driver()};
            static_cast<void>(passing.open("passing"));
            static_cast<void>(passing.is_bound());
            static_cast<void>(passing.try_send_to(address{2}, {}));
            std::this_thread::yield();
        }
    });
    std::vector<std::thread> busy;
    for (int i = 0; i != senders; ++i)
        busy.emplace_back([&] {
            endpoint out{link.driver()};
            if (!out.open(towards{1}))
                return;
            for (int n = 0; n != messages;) {
                if (n % 2 == 0 ? out.try_send(bytes("x")).has_value() : out.try_acquire().send(1).has_value())
                    ++n;
                else
                    std::this_thread::yield();
            }
        });
    for (auto& thread : busy)
        thread.join();
    while (heard != senders * messages)
        std::this_thread::yield();
    done = true;
    for (auto& thread : threads)
        thread.join();
    CHECK(heard == senders * messages);
    CHECK(link.driver().state() == link_state::up);
    CHECK(link.device().state() == link_state::up);
    CHECK(link.device().stats()[fault::ring_broken] == 0);
}
