// The rules of the design that belong to no one header, each as a whole link keeps it.

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <rpmsg/testing/recording_board.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using policy::vring_id;
using recorded = rpmsg::testing::event;

namespace {

template <std::uint16_t N, typename Dialect = policy::linux_kernel>
struct recorded_board : loopback_board {
    using doorbell = recording_doorbell;
    using coherence = recording_coherence;
    using exclusion = recording_exclusion;
    using dialect = Dialect;
    using ring = policy::ring_of<N>;
};
struct polling_board : recorded_board<8> {
    static constexpr auto inbound = policy::inbound::polled;
};
using events = policy::with_event_idx<policy::linux_kernel>;

template <std::uint16_t N>
struct small_board : loopback_board {
    using ring = policy::ring_of<N>;
};

/// The ring words that an end writes while something is done.
template <typename Done>
std::set<const void*> written(journal& log, Done done)
{
    log.clear();
    done();
    std::set<const void*> words;
    for (const auto& e : log.entries())
        if (e.what == recorded::store_release || e.what == recorded::store_relaxed)
            words.insert(e.where);
    return words;
}

}  // namespace

// Rule 12: what is shared is made of words that every processor loads and stores in one.

static_assert(sizeof(wire::le16{}.raw()) == 2 && sizeof(wire::le32{}.raw()) == 4);
static_assert(alignof(wire::le64) <= 4, "no access of 64 bits is ever needed");
static_assert(alignof(wire::descriptor) <= 4 && alignof(wire::used_element) <= 4 &&
              alignof(wire::rpmsg_table) <= 4);

TEMPLATE_TEST_CASE("each shared word has one writer, so none is read, changed and written back",
                   "[bus][rule12]", recorded_board<4>, (recorded_board<4, events>))
{
    journal log;
    loopback<TestType> link;
    endpoint echo{link.device(), [](message in) { return in.payload(); }};
    endpoint ping{link.driver(), [](message) {}};
    std::set<const void*> driver;
    std::set<const void*> device;
    const auto turns = [&] {
        driver.merge(written(log, [&] {
            for (int i = 0; i != 5; ++i)
                static_cast<void>(ping.try_send(bytes("x")));
            link.driver().poll();
        }));
        device.merge(written(log, [&] { link.device().poll(); }));
    };
    CHECK(echo.open("echo"));
    CHECK(ping.open("echo"));
    for (int i = 0; i != 10; ++i)
        turns();
    REQUIRE(ping.is_bound());
    CHECK(driver.size() >= 2);
    CHECK(device.size() >= 2);
    std::vector<const void*> both;
    std::set_intersection(driver.begin(), driver.end(), device.begin(), device.end(),
                          std::back_inserter(both));
    CHECK(both.empty());
}

TEMPLATE_TEST_CASE("buffers may lie anywhere and be of any length, and rings be as small as one",
                   "[bus][rule13]", small_board<1>, small_board<2>, small_board<8>)
{
    const auto size = GENERATE(57U, 61U, 511U);
    loopback<TestType> link{{.to_driver_size = size, .to_device_size = size + 2, .align = 4}};
    std::vector<std::byte> answered;
    endpoint echo{link.device(), [](message in) { return in.payload(); }};
    endpoint ping{link.driver(), [&](std::span<const std::byte> p) { answered.assign(p.begin(), p.end()); }};
    REQUIRE(echo.open("echo"));
    REQUIRE(ping.open("echo"));
    REQUIRE(link.run());
    REQUIRE(ping.is_bound());
    CHECK(link.driver().max_payload() == size + 2 - 16);
    CHECK(link.device().max_payload() == size - 16);

    std::vector<std::byte> payload(size - 16);
    for (std::size_t n = 0; n <= payload.size(); ++n) {
        std::fill_n(payload.begin(), n, static_cast<std::byte>(n));
        REQUIRE(ping.try_send(std::span{payload}.first(n)));
        REQUIRE(link.run());
        REQUIRE(std::ranges::equal(answered, std::span{payload}.first(n)));
    }
    CHECK(link.driver().stats().total() == 0);
    CHECK(link.device().stats().total() == 0);
}

TEST_CASE("what does not lie where a type may is refused, and not read as one", "[bus][rule13]")
{
    loopback<small_board<2>> link{{.to_driver_size = 33, .to_device_size = 33, .align = 4}};
    int copied = 0;
    int in_place_seen = 0;
    endpoint copies{link.device(), typed<std::uint64_t>,
                    [&](const std::uint64_t& v) { copied += v == 7 ? 1 : 0; }};
    endpoint looks{link.device(), typed<std::uint64_t>,
                   [&](in_place<const std::uint64_t&> v) { in_place_seen += *v == 7 ? 1 : 0; }};
    endpoint to_copies{link.driver(), typed<std::uint64_t>};
    endpoint to_looks{link.driver(), typed<std::uint64_t>};
    REQUIRE(copies.open(address{1}));
    REQUIRE(looks.open(address{2}));
    REQUIRE(to_copies.open(address{3}, towards{1}));
    REQUIRE(to_looks.open(address{4}, towards{2}));
    REQUIRE(link.run());
    int refused = 0;
    for (int i = 0; i != 4; ++i) {
        CHECK(to_copies.try_send(std::uint64_t{7}));
        CHECK(to_looks.try_send(std::uint64_t{7}));
        REQUIRE(link.run());
        if (auto slot = to_looks.try_acquire(); slot.error() == errc::misaligned)
            ++refused;
    }
    CHECK(copied == 4);
    CHECK(in_place_seen + static_cast<int>(link.device().stats()[fault::wrong_size]) == 4);
    CHECK(link.device().stats()[fault::wrong_size] != 0);
    CHECK(refused != 0);
}

namespace {

void nothing(vring_id /*which*/) noexcept {}
void nothing_at_all() noexcept {}
constexpr auto nothing_heard = [](message) {};
struct mask_nothing {
    static std::uint32_t save_and_mask() noexcept { return 0; }
    static void restore(std::uint32_t /*before*/) noexcept {}
    static std::uintptr_t context() noexcept { return 0; }
};
struct nulls_board : policy::board_defaults {
    using address_map = policy::identity<0x2000'0000, 0x8000>;
};
/// A policy of another type for each of the defaults; none of them has state.
struct empties_board : nulls_board {
    using doorbell = policy::callback_doorbell<nothing>;
    using coherence = policy::system;
    using wait = policy::yielding<nothing_at_all>;
    using clock = manual_clock;
};
/// With several contexts the bus keeps which of them polls.
struct contexts_board : nulls_board {
    using exclusion = policy::interrupt_mask<mask_nothing>;
};
struct state_board : nulls_board {
    using doorbell = counting_doorbell<>;
};

template <template <typename> typename Bus>
constexpr bool costs_what_it_must =
    sizeof(Bus<empties_board>) == sizeof(Bus<nulls_board>) &&
    sizeof(Bus<contexts_board>) == sizeof(Bus<nulls_board>) + sizeof(std::uintptr_t) &&
    sizeof(Bus<state_board>) == sizeof(Bus<nulls_board>) + sizeof(counting_doorbell<>);
template <typename Board>
using device_of = device_bus<Board>;
template <typename Board>
using driver_of = driver_bus<Board>;

}  // namespace

TEST_CASE("policies without state take no room, and those with state their own", "[bus][rule11]")
{
    STATIC_REQUIRE(sizeof(policy::set<nulls_board>) == 1);
    STATIC_REQUIRE(sizeof(policy::set<empties_board>) == 1);
    STATIC_REQUIRE(sizeof(policy::scope<policy::no_exclusion>) == sizeof(void*));
    CHECK(costs_what_it_must<device_of>);
    CHECK(costs_what_it_must<driver_of>);
    // A receiver and handlers without state neither.
    using bus_type = device_bus<nulls_board>::basic;
    const auto receives = [](message) {};
    const auto hears = [] {};
    using receiver = decltype(receives);
    CHECK(sizeof(endpoint<bus_type, void, std::remove_const_t<receiver>,
                          on_bound<std::remove_const_t<decltype(hears)>>>) ==
          sizeof(endpoint<bus_type, void, no_receiver>));
}

namespace {

/// Accesses to ring words, lines and addresses that one message costs, from send to receiver and back.
template <typename Board>
std::size_t accesses(std::size_t endpoints)
{
    journal log;
    loopback<Board> link;
    endpoint sink{link.device(), [](message) {}};
    endpoint out{link.driver()};
    REQUIRE(sink.open(address{20}));
    REQUIRE(out.open(address{30}, towards{20}));
    using other_type = decltype(endpoint{link.device(), nothing_heard});
    std::vector<std::unique_ptr<other_type>> others;
    for (std::size_t i = 1; i < endpoints; ++i) {
        others.push_back(std::make_unique<other_type>(link.device(), nothing_heard));
        REQUIRE(others.back()->open(address{1000 + static_cast<std::uint32_t>(i)}));
    }
    REQUIRE(link.run());
    const auto one = [&] {
        CHECK(out.try_send(bytes("x")));
        link.device().poll();
        link.driver().poll();
    };
    for (int i = 0; i != 200; ++i)  // first all buffers go round
        one();
    log.clear();
    for (int i = 0; i != 128; ++i)
        one();
    const auto driver_table = link.ring(vring_id::to_device);
    for (std::uint16_t id = 0; id != Board::ring::capacity; ++id) {
        CHECK(log.count({recorded::clean, &driver_table.descriptor_at(id)}) == 0);  // written once
    }
    CHECK(log.mistakes() == 0);
    return log.entries().size();
}

}  // namespace

TEST_CASE("what a message costs depends neither on the number of endpoints nor on the ring's size",
          "[bus][rule9]")
{
    const auto least = accesses<recorded_board<4>>(1);
    CHECK(least != 0);
    CHECK(accesses<recorded_board<4>>(100) == least);
    // In a larger ring the peer's index is looked at less often.
    CHECK(accesses<recorded_board<64>>(1) <= least);
    CHECK(accesses<recorded_board<64>>(100) == accesses<recorded_board<64>>(1));
}

TEMPLATE_TEST_CASE("before it decides not to ring, it has a barrier and reads the wish fresh",
                   "[bus][rule8][rule10]", as_driver, as_device)
{
    journal log;
    loopback<polling_board> link;  // neither wants a doorbell
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    int heard = 0;
    endpoint out{here};
    endpoint in{there, [&](message) { ++heard; }};
    REQUIRE(out.open(address{30}, towards{20}));
    REQUIRE(in.open(address{20}));
    REQUIRE(link.run());
    const auto ring = link.ring(tx_ring(TestType::role));
    const bool drives = TestType::role == virtio::role::driver;
    const void* const published = drives ? &ring.avail().idx : &ring.used().idx;
    const void* const wish = drives ? &ring.used().flags : &ring.avail().flags;
    const void* const returned = drives ? &ring.used().idx : &ring.avail().idx;
    const void* const returns_wish = drives ? &ring.avail().flags : &ring.used().flags;

    for (int i = 0; i != 3; ++i) {
        log.clear();
        CHECK(out.try_send(bytes("x")));
        CHECK(log.has_in_order({{recorded::store_release, published},
                                {recorded::full_barrier},
                                {recorded::load_relaxed, wish}}));
        CHECK(log.count(recorded::full_barrier) == 1);
        CHECK(log.count(recorded::ring) == 0);
    }
    log.clear();
    there.poll();
    CHECK(heard == 3);
    CHECK(log.has_in_order({{recorded::store_release, returned},
                            {recorded::full_barrier},
                            {recorded::load_relaxed, returns_wish}}));
    CHECK(log.count({recorded::load_relaxed, returns_wish}) == 1);  // once a batch
    CHECK(log.count(recorded::ring) == 0);
}

TEMPLATE_TEST_CASE("a drained batch rings once", "[bus][rule8][rule10]", as_driver, as_device)
{
    journal log;
    loopback<recorded_board<8>> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    endpoint out{here, [](message) {}};
    endpoint echo{there, [](message in) { return in.payload(); }};
    REQUIRE(out.open(address{30}, towards{20}));
    REQUIRE(echo.open(address{20}));
    REQUIRE(link.run());
    log.clear();
    {
        const batch together{here};
        for (int i = 0; i != 5; ++i)
            CHECK(out.try_send(bytes("x")));
    }
    CHECK(log.count(recorded::ring) == 1);
    log.clear();
    CHECK(there.poll().handled == 5);
    CHECK(log.count(recorded::ring) == 1);  // five replies, five returned buffers
    log.clear();
    CHECK(here.poll().handled == 5);
    CHECK(log.count(recorded::ring) <= 1);
}

TEMPLATE_TEST_CASE("with EVENT_IDX only the message that was asked for rings", "[bus][rule8][rule10]",
                   as_driver, as_device)
{
    journal log;
    loopback<recorded_board<8, events>> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    endpoint out{here};
    endpoint in{there, [](message) {}};
    REQUIRE(out.open(address{30}, towards{20}));
    REQUIRE(in.open(address{20}));
    REQUIRE(link.run());

    for (int lap = 0; lap != 3; ++lap) {
        std::size_t rang = 0;
        for (int i = 0; i != 4; ++i) {
            log.clear();
            CHECK(out.try_send(bytes("x")));
            CHECK(log.has_in_order(
                {{recorded::store_release}, {recorded::full_barrier}, {recorded::load_relaxed}}));
            rang += log.count(recorded::ring);
            CHECK(log.count(recorded::ring) == (i == 0 ? 1U : 0U));
        }
        CHECK(rang == 1);
        there.poll();
    }
    CHECK(log.mistakes() == 0);
}

TEMPLATE_TEST_CASE("no lock is held where user code runs, and there it may do what it likes", "[bus][rule7]",
                   as_driver, as_device)
{
    journal log;
    loopback<recorded_board<4>> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    using bus_type = typename std::remove_cvref_t<decltype(here)>::basic;
    std::array<int, 8> runs{};
    int locked = 0;
    const auto runs_free = [&](std::size_t which) {
        ++runs[which];
        locked += log.is_locked() ? 1 : 0;
    };
    std::optional<endpoint<bus_type, void, no_receiver>> owned;
    std::vector<rx_buffer> held;

    endpoint all{here,
                 [&](message in) {
                     runs_free(0);
                     owned.emplace(here);
                     CHECK(owned->open("owned"));
                     CHECK(owned->try_send_to(in.source(), bytes("answer")));
                     held.push_back(in.hold());
                     owned.reset();
                 },
                 on_bound{[&] { runs_free(1); }}, on_unbound{[&] { runs_free(2); }}};
    observer watch{here,
                   on_announced{[&](const announcement&) { runs_free(3); }},
                   on_withdrawn{[&](const announcement&) { runs_free(4); }},
                   on_link{[&](link_state) { runs_free(5); }},
                   on_tx_ready{[&] { runs_free(6); }},
                   on_error{[&](fault) { runs_free(7); }}};
    REQUIRE(watch.open());
    REQUIRE(all.open("all"));
    endpoint peer{there, [](message) {}};
    REQUIRE(peer.open("all"));
    REQUIRE(link.run());
    CHECK(peer.try_send(bytes("x")));
    REQUIRE(link.run());
    held.clear();
    {
        endpoint passing{there};
        REQUIRE(passing.open("nobody's"));
        REQUIRE(link.run());
        CHECK(passing.try_send_to(address{77}, {}));  // unknown there
        REQUIRE(link.run());
    }
    while (all.try_send(bytes("x"))) {}
    REQUIRE(link.run());
    CHECK(peer.close());
    REQUIRE(link.run());
    here.stop();
    for (std::size_t i = 0; i != runs.size(); ++i) {
        INFO("function " << i);
        CHECK(runs[i] != 0);
    }
    CHECK(locked == 0);
    CHECK(log.mistakes() == 0);
}

TEST_CASE("the places of rings and buffers follow from one description that the compiler has checked",
          "[bus][rule14]")
{
    constexpr std::uint32_t base = 0x3ED0'0000;
    constexpr auto at = vring::layout_of(16, 4096);
    constexpr std::uint32_t first = 4096;  // behind the table
    constexpr std::uint32_t second = first + (static_cast<std::uint32_t>(at.size) + 4095) / 4096 * 4096;
    constexpr auto table =
        wire::make_rpmsg_table(1, {.address = base + first, .align = 4096, .num = 16, .notify_id = 1},
                               {.address = base + second, .align = 4096, .num = 16, .notify_id = 2});
    STATIC_REQUIRE(table.vdev.vring[0].da == base + first);
    STATIC_REQUIRE(table.vdev.vring[1].da == base + second);
    STATIC_REQUIRE(table.vdev.vring[1].num == 16);

    loopback<> link{{.address = base}};
    REQUIRE(link.run());
    const auto place = [&](vring_id which) {
        return reinterpret_cast<const std::byte*>(&link.ring(which).descriptor_at(0)) - link.bytes().data();
    };
    CHECK(place(vring_id::to_driver) == first);
    CHECK(place(vring_id::to_device) == second);
    CHECK(link.driver().state() == link_state::up);
}
