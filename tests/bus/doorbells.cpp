// Doorbells that get lost, come twice, late, of themselves or with another's id: nothing hangs, everything arrives
// once, and a lost one costs no more than the board's look_period.

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <rpmsg/testing/faulty_doorbell.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <utility>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;
using virtio::role;

namespace {

constexpr std::uint32_t period = 10;

/// Whether an end was rung since it looked.
struct bell_flag {
    bool rung = false;
    std::uint32_t times = 0;
};

/// Wakes an end; carries an id, which says nothing.
class flag_doorbell : public policy::doorbell_defaults {
public:
    static constexpr bool carries_queue_id = true;
    constexpr flag_doorbell() noexcept = default;
    explicit constexpr flag_doorbell(bell_flag& peer) noexcept : peer_{&peer} {}
    void ring(policy::vring_id /*which*/, std::uint32_t /*notify_id*/) noexcept
    {
        peer_->rung = true;
        ++peer_->times;
    }

private:
    bell_flag* peer_ = nullptr;
};

/// What happens while one end sleeps in a call: a tick each time.
struct world {
    std::function<void()> tick;
    bell_flag flag;
};

/// Sleeps until it is rung or the time has come, and not a tick less.
class sound_sleep {
public:
    constexpr sound_sleep() noexcept = default;
    explicit constexpr sound_sleep(world& own) noexcept : own_{&own} {}
    template <typename Ready, typename Deadline>
    void sleep(Ready&& ready, Deadline until) noexcept
    {
        if (ready())
            return;
        own_->flag.rung = false;
        while (!own_->flag.rung && !until.passed())
            own_->tick();
    }

private:
    world* own_ = nullptr;
};
static_assert(policy::wait<sound_sleep>);

struct lossy_board : loopback_board {
    using doorbell = faulty_doorbell<flag_doorbell>;
    using wait = sound_sleep;
    using ring = policy::ring_of<4>;
    static constexpr std::uint32_t look_period = period;
};
struct quiet_lossy_board : lossy_board {
    static constexpr auto inbound = policy::inbound::quiet_while_draining;
};
struct events_lossy_board : lossy_board {
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};

/// Two ends with a faulty line between them.
template <typename Board>
struct faulty_link {
    explicit faulty_link(const doorbell_odds& odds, std::uint32_t seed = 1) : line{odds, seed}
    {
        manual_clock::set(0);
    }

    /// Time for one tick: what is late or spurious rings.
    void pass()
    {
        manual_clock::advance(1);
        driver_bell.tick();
    }

    faulty_line line;
    std::array<world, 2> worlds{};  // of the driver, of the device
    faulty_doorbell<flag_doorbell> driver_bell{flag_doorbell{worlds[1].flag}, line};
    faulty_doorbell<flag_doorbell> device_bell{flag_doorbell{worlds[0].flag}, line};
    loopback<Board> link{{},
                         {.doorbell = driver_bell, .wait = sound_sleep{worlds[0]}},
                         {.doorbell = device_bell, .wait = sound_sleep{worlds[1]}}};
};

template <typename Role>
constexpr std::size_t own = Role::role == role::driver ? 0 : 1;

/// Both ends send numbered messages with the time, and sleep for a period at most.
template <typename Board>
class exchange {
    struct end {
        std::uint32_t sent = 0;
        std::uint32_t heard = 0;
        std::uint32_t slept = 0;  // ticks
        std::uint32_t longest = 0;
        bool asleep = false;
    };
    template <typename Bus>
    using channel = endpoint<typename Bus::basic, void, std::function<void(std::span<const std::byte>)>>;

public:
    exchange(const doorbell_odds& odds, std::uint32_t seed) : f{odds, seed}
    {
        CHECK(driver_.open("channel"));
        CHECK(device_.open("channel"));
    }

    /// @return The ticks it took, or 0 if there was no end.
    std::uint32_t run(std::uint32_t messages)
    {
        for (std::uint32_t tick = 1; tick != messages * (3 * period) + 1000; ++tick) {
            act(f.link.driver(), driver_, 0, messages);
            act(f.link.device(), device_, 1, messages);
            f.pass();
            const bool done = std::ranges::all_of(
                ends, [&](const end& e) { return e.sent == messages && e.heard == messages; });
            if (done)
                return tick;
        }
        return 0;
    }

    faulty_link<Board> f;
    std::array<end, 2> ends{};
    bool in_order = true;

private:
    struct stamped {
        std::uint32_t number;
        std::uint32_t time;
    };
    std::function<void(std::span<const std::byte>)> heard(std::size_t i)
    {
        return [this, i](std::span<const std::byte> payload) {
            stamped in{};
            in_order = in_order && payload.size() == sizeof in;
            std::memcpy(&in, payload.data(), std::min(payload.size(), sizeof in));
            in_order = in_order && in.number == ends[i].heard++;
            ends[i].longest = std::max(ends[i].longest, manual_clock::now() - in.time);
        };
    }
    template <typename Bus, typename Channel>
    void act(Bus& bus, Channel& out, std::size_t i, std::uint32_t messages)
    {
        auto& e = ends[i];
        auto& flag = f.worlds[i].flag;
        if (e.asleep && !flag.rung && ++e.slept < period)
            return;
        flag.rung = e.asleep = false;
        e.slept = 0;
        bus.poll();
        bool stuck = false;
        while (e.sent != messages && out.is_bound() && !stuck) {
            const stamped next{e.sent, manual_clock::now()};
            stuck = !out.try_send(std::as_bytes(std::span{&next, 1}));
            e.sent += stuck ? 0U : 1U;
        }
        e.asleep = !bus.has_work();
    }

    channel<std::remove_reference_t<decltype(f.link.driver())>> driver_{f.link.driver(), heard(0)};
    channel<std::remove_reference_t<decltype(f.link.device())>> device_{f.link.device(), heard(1)};
};

}  // namespace

TEMPLATE_TEST_CASE("whatever becomes of doorbells, everything arrives once and in order",
                   "[bus][doorbells][rule5][R10]", lossy_board, quiet_lossy_board, events_lossy_board)
{
    doorbell_odds odds{};
    std::uint32_t late = 0;  // what the fault itself may add
    SECTION("none goes wrong") {}
    SECTION("some are lost") { odds = {.lost = 100}; }
    SECTION("all are lost") { odds = {.lost = 256}; }
    SECTION("some come twice") { odds = {.doubled = 100}; }
    SECTION("all come late")
    {
        odds = {.delayed = 256};
        late = 8;
    }
    SECTION("some come of themselves") { odds = {.spurious = 100}; }
    SECTION("all say the wrong vring") { odds = {.wrong_id = 256}; }
    SECTION("all of it")
    {
        odds = {.lost = 80, .doubled = 60, .delayed = 60, .spurious = 40, .wrong_id = 60};
        late = 8;
    }
    for (std::uint32_t seed = 1; seed != 6; ++seed) {
        exchange<TestType> both{odds, seed};
        const auto ticks = both.run(500);
        CHECK(ticks != 0);
        CHECK(both.in_order);
        for (const auto& e : both.ends) {
            CHECK(e.sent == 500);
            CHECK(e.heard == 500);
            CHECK(e.longest <= period + late);  // from sent to heard
        }
        CHECK(both.f.link.driver().stats().total() == 0);
        CHECK(both.f.link.device().stats().total() == 0);
        CHECK(both.f.link.driver().epoch() + both.f.link.device().epoch() == 0);
        // The faults did happen, and each ring is accounted for.
        const auto& c = both.f.line.counts();
        CHECK((c.lost != 0) == (odds.lost != 0));
        CHECK((c.doubled != 0) == (odds.doubled != 0));
        CHECK((c.delayed != 0) == (odds.delayed != 0));
        CHECK((c.wrong_id != 0) == (odds.wrong_id != 0));
        CHECK(c.delivered == c.rung - c.lost - both.f.line.under_way() + c.doubled + c.spurious);
        CHECK(both.f.worlds[0].flag.times + both.f.worlds[1].flag.times == c.delivered);
        if (odds.lost == 256)
            CHECK(ticks > 500 / 4 * period / 2);  // so slow without doorbells that they mattered above
        if (odds.lost == 0 && odds.delayed == 0)
            CHECK(ticks < 500);
    }
}

TEMPLATE_TEST_CASE("a sender whose wake-up is lost goes on within the board's period",
                   "[bus][doorbells][rule5]", as_driver, as_device)
{
    faulty_link<lossy_board> f{{}};
    auto& here = TestType::here(f.link);
    auto& there = TestType::there(f.link);
    endpoint out{here};
    REQUIRE(out.open(address{1}, towards{2}));
    f.link.run();
    const std::uint32_t returns_at = GENERATE(1U, 2U, 9U, 10U, 11U, 25U);
    const bool is_lost = GENERATE(false, true);
    while (out.try_send({})) {}

    const auto start = manual_clock::now();
    f.worlds[own<TestType>].tick = [&] {
        f.pass();
        if (manual_clock::now() - start == returns_at) {
            if (is_lost)
                f.line.lose_next(100);
            there.poll();
        }
    };
    CHECK(out.send({}, 1s));
    const auto took = manual_clock::now() - start;
    if (is_lost) {
        CHECK(took >= returns_at);
        CHECK(took < returns_at + period);
        CHECK(f.line.counts().lost != 0);
    } else {
        CHECK(took == returns_at);
    }
}

TEMPLATE_TEST_CASE("who waits for work finds it within the board's period", "[bus][doorbells][rule5]",
                   as_driver, as_device)
{
    faulty_link<lossy_board> f{{}};
    auto& here = TestType::here(f.link);
    int heard = 0;
    endpoint in{here, [&](message) { ++heard; }};
    endpoint out{TestType::there(f.link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    f.link.run();
    const std::uint32_t sent_at = GENERATE(1U, 5U, 10U, 33U);

    const auto start = manual_clock::now();
    f.worlds[own<TestType>].tick = [&] {
        f.pass();
        if (manual_clock::now() - start == sent_at) {
            f.line.lose_next(1);
            CHECK(out.try_send({}));
        }
    };
    while (heard == 0 && manual_clock::now() - start < 1000) {
        here.wait_work(1s);
        here.poll();
    }
    CHECK(heard == 1);
    CHECK(f.line.counts().lost == 1);
    CHECK(manual_clock::now() - start < sent_at + period);
}

TEMPLATE_TEST_CASE("a link comes up within the board's period though no doorbell arrives",
                   "[bus][doorbells][rule5]", as_driver, as_device)
{
    faulty_link<lossy_board> f{{.lost = 256}};
    auto& here = TestType::here(f.link);
    const std::uint32_t starts_at = GENERATE(1U, 7U, 30U);
    f.worlds[own<TestType>].tick = [&] {
        f.pass();
        if (manual_clock::now() == starts_at)
            TestType::there(f.link).start();
    };
    if constexpr (TestType::role == role::driver) {
        // The firmware lays its table out when it starts.
        const auto table = f.link.table();
        f.link.table() = {};
        f.worlds[0].tick = [&f, table, starts_at] {
            f.pass();
            if (manual_clock::now() == starts_at)
                f.link.table() = table;
        };
        CHECK(here.wait_link(1s));
    } else {
        CHECK(here.wait_link(1s));
    }
    CHECK(here.state() == link_state::up);
    CHECK(manual_clock::now() < starts_at + period);
}

TEMPLATE_TEST_CASE("a driver that restarts is noticed though its doorbell is lost",
                   "[bus][doorbells][recovery]", lossy_board, quiet_lossy_board, events_lossy_board)
{
    exchange<TestType> both{{}, 1};
    REQUIRE(both.run(20) != 0);
    both.f.line.set({.lost = 256});
    both.f.link.driver().stop();
    both.f.link.driver().start();
    CHECK(both.run(40) != 0);
    CHECK(both.in_order);
    CHECK(both.f.link.device().epoch() >= 1);
    CHECK(both.f.link.device().stats().total() == 0);
}
