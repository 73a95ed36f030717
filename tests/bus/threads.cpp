// Two buses, each called by two threads or more: the exclusion is what makes that right, so these tests say
// most under ThreadSanitizer. Every loop has a deadline: what would hang fails.

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/thread_exclusion.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;

// ThreadSanitizer's own. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" void AnnotateBenignRaceSized(const char* file, int line, const volatile void* memory,
                                        std::size_t bytes, const char* why);

namespace {

void let_others_run() noexcept { std::this_thread::yield(); }

/// Nobody is woken, all look; but whether to ring is decided each time.
struct silent_bell : policy::doorbell_defaults {
    void ring(policy::vring_id /*which*/) noexcept {}
};
struct threads_board : loopback_board {
    using doorbell = silent_bell;
    using exclusion = platform::thread_exclusion;
    using wait = policy::yielding<let_others_run>;
    using clock = platform::monotonic_clock;
    using ring = policy::ring_of<16>;
};
struct quiet_board : threads_board {
    static constexpr auto inbound = policy::inbound::quiet_while_draining;
};
struct events_board : threads_board {
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};
struct spin_board : threads_board {
    using exclusion = policy::lockable<policy::spin_lock, platform::this_thread_self>;
    using ring = policy::ring_of<4>;
};
struct remembering_board : threads_board {
    static constexpr std::size_t remembered_announcements = 4;
};

/// Two processors share this memory, as ThreadSanitizer cannot know: while a link starts over, one makes the
/// rings anew under the other's eyes. What is private to a bus it goes on to watch.
void is_shared([[maybe_unused]] std::span<std::byte> memory)
{
    if constexpr (config::thread_sanitizer)
        AnnotateBenignRaceSized(__FILE__, __LINE__, memory.data(), memory.size(), "shared by two processors");
}

/// Ends a loop that would not end by itself.
class time_limit {
public:
    [[nodiscard]] bool passed() const noexcept { return std::chrono::steady_clock::now() > end_; }

private:
    std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + 60s;
};

/// Polls one end until told to leave it.
template <typename Bus>
class poller {
public:
    explicit poller(Bus& bus)
        : thread_{[this, &bus] {
              while (!leave_.load(std::memory_order_relaxed)) {
                  if (bus.poll().handled == 0)
                      let_others_run();
              }
          }}
    {}
    ~poller() { leave(); }
    poller(const poller&) = delete;
    poller& operator=(const poller&) = delete;
    void leave()
    {
        leave_.store(true, std::memory_order_relaxed);
        if (thread_.joinable())
            thread_.join();
    }

private:
    std::atomic<bool> leave_{false};
    std::thread thread_;
};
template <typename Bus>
poller(Bus&) -> poller<Bus>;

/// Who sent it, and the how manieth of its messages it is.
struct numbered {
    std::uint32_t sender;
    std::uint32_t number;
};

/// How many of each sender came, and whether one came out of order.
struct tally {
    void hear(const numbered& n)
    {
        if (n.sender >= next.size() || next[n.sender].load(std::memory_order_relaxed) != n.number)
            wrong.store(true, std::memory_order_relaxed);
        else
            next[n.sender].fetch_add(1, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint32_t total() const noexcept
    {
        std::uint32_t sum = 0;
        for (const auto& n : next)
            sum += n.load(std::memory_order_relaxed);
        return sum;
    }
    std::array<std::atomic<std::uint32_t>, 4> next{};
    std::atomic<bool> wrong{false};
};

/// What was given to a thread to deal with.
template <typename T>
class handed_over {
public:
    void put(T thing)
    {
        const std::lock_guard lock{mutex_};
        things_.push_back(std::move(thing));
    }
    /// The last one, or the first: others come later than they were put.
    bool take(T& thing, bool last)
    {
        const std::lock_guard lock{mutex_};
        if (things_.empty())
            return false;
        const auto which = last ? things_.end() - 1 : things_.begin();
        thing = std::move(*which);
        things_.erase(which);
        return true;
    }

private:
    std::mutex mutex_;
    std::vector<T> things_;
};

template <typename Role, typename Board>
struct with {
    using role = Role;
    using board = Board;
};

/// Bytes that tell message n from its neighbours, and of another length.
std::span<const std::byte> fill(std::span<std::byte, 496> memory, std::uint32_t n)
{
    const auto length = n * 7 % 497;
    for (std::size_t i = 0; i != length; ++i)
        memory[i] = static_cast<std::byte>(n + i);
    return memory.first(length);
}

}  // namespace

TEMPLATE_TEST_CASE("a thread of the driver and one of the device echo twenty thousand messages",
                   "[bus][thread]", threads_board, quiet_board, events_board, spin_board)
{
    constexpr std::uint32_t all = 20'000;
    loopback<TestType> link;
    const time_limit limit;
    std::uint32_t sent = 0;
    std::uint32_t heard = 0;
    std::uint32_t wrong = 0;
    {
        endpoint echo{link.device(), [](message in) { return in.payload(); }};
        REQUIRE(echo.open(address{20}));
        REQUIRE(link.run());
        const poller device{link.device()};

        std::array<std::byte, 496> expected{};
        endpoint ping{link.driver(), [&](std::span<const std::byte> answer) {
                          wrong += std::ranges::equal(answer, fill(expected, heard)) ? 0U : 1U;
                          ++heard;
                      }};
        REQUIRE(ping.open(address{30}, towards{20}));
        std::array<std::byte, 496> memory{};
        while (heard != all && !limit.passed()) {
            while (sent != all && sent - heard < TestType::ring::capacity - 1U &&
                   ping.try_send(fill(memory, sent)))
                ++sent;
            if (link.driver().poll().handled == 0)
                let_others_run();
        }
    }
    CHECK(heard == all);
    CHECK(wrong == 0);
    CHECK(link.driver().stats().total() == 0);
    CHECK(link.device().stats().total() == 0);
}

TEMPLATE_TEST_CASE(
    "three threads send, one polls, one opens and closes: each message comes once and in order",
    "[bus][thread]", (with<as_driver, threads_board>), (with<as_device, threads_board>),
    (with<as_driver, events_board>), (with<as_device, events_board>), (with<as_device, remembering_board>),
    (with<as_driver, quiet_board>))
{
    using role = typename TestType::role;
    constexpr std::uint32_t each = 2'000;
    constexpr std::uint32_t openings = 300;
    loopback<typename TestType::board> link;
    auto& here = role::here(link);
    auto& there = role::there(link);
    const time_limit limit;

    tally heard;
    std::atomic<std::uint32_t> announced{0};
    std::atomic<std::uint32_t> withdrawn{0};
    std::atomic<std::uint32_t> failed{0};
    std::atomic<std::uint32_t> answered{0};
    {
        endpoint sink{there, typed<numbered>, [&](const numbered& n) {
                          heard.hear(n);
                          return n.number;
                      }};
        observer news{there, on_announced{[&] { ++announced; }}, on_withdrawn{[&] { ++withdrawn; }}};
        REQUIRE(sink.open(address{20}));
        REQUIRE(news.open());
        REQUIRE(link.run());
        poller theirs{there};
        poller ours{here};

        const auto send = [&](std::uint32_t who) {
            endpoint out{here, typed<numbered>, no_receiver{}};
            endpoint in{here, typed<std::uint32_t>, [&](const std::uint32_t&) { ++answered; }};
            if (!in.open(address{40 + who}) || !out.open(address{30 + who}, towards{20})) {
                ++failed;
                return;
            }
            for (std::uint32_t n = 0; n != each && !limit.passed();)
                if (out.send_from(in.local(), out.peer(), numbered{who, n}, 30s))
                    ++n;
                else
                    ++failed;
            while (answered.load() < 3 * each && !limit.passed())
                let_others_run();
        };
        const auto open_and_close = [&] {
            for (std::uint32_t n = 0; n != openings && !limit.passed(); ++n) {
                endpoint passing{here, [](message) {}, on_bound{[] {}}, on_unbound{[] {}}};
                if (!passing.open("passing"))
                    ++failed;
                let_others_run();
                while (!passing.close() && !limit.passed())
                    let_others_run();  // too many withdrawals wait
            }
        };
        std::thread first{send, 0U};
        std::thread second{send, 1U};
        std::thread third{send, 2U};
        std::thread opener{open_and_close};
        first.join(), second.join(), third.join(), opener.join();
        theirs.leave();
        ours.leave();
        CHECK(link.run());
    }
    CHECK_FALSE(limit.passed());
    CHECK(failed == 0);
    CHECK_FALSE(heard.wrong);
    CHECK(heard.total() == 3 * each);
    CHECK(answered == 3 * each);
    CHECK(announced == withdrawn);
    CHECK(here.stats().total() == 0);
    CHECK(there.stats().total() == 0);
}

TEMPLATE_TEST_CASE("buffers are filled and released by threads that did not take them, in any order",
                   "[bus][thread]", (with<as_driver, threads_board>), (with<as_device, threads_board>),
                   (with<as_driver, quiet_board>), (with<as_device, events_board>))
{
    using role = typename TestType::role;
    constexpr std::uint32_t all = 4'000;
    loopback<typename TestType::board> link;
    auto& here = role::here(link);
    auto& there = role::there(link);
    using basic = typename std::remove_cvref_t<decltype(here)>::basic;
    using endpoint_type = endpoint<basic, numbered, no_receiver>;
    const time_limit limit;

    std::vector<std::atomic<std::uint32_t>> seen(all);
    std::atomic<std::uint32_t> released{0};
    std::atomic<std::uint32_t> numbers{0};
    std::atomic<std::uint32_t> failed{0};
    {
        handed_over<rx_buffer> received;
        handed_over<typename endpoint_type::buffer> taken;
        endpoint sink{there, [&](message in) { received.put(in.hold()); }};
        endpoint_type source{here, typed<numbered>};
        REQUIRE(sink.open(address{20}));
        REQUIRE(source.open(address{30}, towards{20}));
        REQUIRE(link.run());
        poller theirs{there};
        poller ours{here};

        const auto take = [&] {
            for (std::uint32_t n = 0; n != all && !limit.passed(); ++n) {
                auto slot = source.acquire(30s);
                if (slot)
                    taken.put(std::move(slot));
                else
                    ++failed;
            }
        };
        const auto send = [&](bool last) {
            while (numbers.load() < all && !limit.passed()) {
                typename endpoint_type::buffer slot;
                if (!taken.take(slot, last)) {
                    let_others_run();
                    continue;
                }
                const auto n = numbers.fetch_add(1);
                *slot = {n, ~n};
                if (!std::move(slot).send())
                    ++failed;
            }
        };
        const auto release = [&](bool last) {
            while (released.load() < all && !limit.passed()) {
                rx_buffer held;
                if (!received.take(held, last)) {
                    let_others_run();
                    continue;
                }
                const auto* const n = held.as<numbered>();
                if (n == nullptr || n->sender >= all || n->number != ~n->sender)
                    ++failed;
                else
                    ++seen[n->sender];
                held.release();
                ++released;
            }
        };
        std::array<std::thread, 5> threads{std::thread{take}, std::thread{send, true},
                                           std::thread{send, false}, std::thread{release, true},
                                           std::thread{release, false}};
        for (auto& t : threads)
            t.join();
    }
    CHECK_FALSE(limit.passed());
    CHECK(failed == 0);
    CHECK(released == all);
    CHECK(std::ranges::all_of(seen, [](const auto& times) { return times == 1; }));
    CHECK(here.stats().total() == 0);
    CHECK(there.stats().total() == 0);
}

TEMPLATE_TEST_CASE("when close returns in one thread, the receiver that another runs has left",
                   "[bus][thread][rule7]", as_driver, as_device)
{
    constexpr int rounds = 200;
    loopback<threads_board> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    const time_limit limit;
    std::atomic<bool> closed{false};
    std::atomic<int> entered{0};
    std::atomic<int> too_late{0};
    int plain = 0;  // only close() orders what the receiver does with it and what we do
    int expected = 0;
    {
        endpoint source{there};
        REQUIRE(source.open(address{30}, towards{20}));
        REQUIRE(link.run());
        const poller theirs{there};
        const poller ours{here};
        std::atomic<bool> enough{false};
        std::thread sender{[&] {
            while (!enough && !limit.passed()) {
                static_cast<void>(source.try_send({}));
                let_others_run();
            }
        }};
        for (int round = 0; round != rounds && !limit.passed(); ++round) {
            closed = false;
            const auto before = entered.load();
            endpoint sink{here, [&](message) {
                              ++plain;
                              ++entered;
                              std::this_thread::sleep_for(20us);
                              ++plain;
                              too_late += closed ? 1 : 0;
                          }};
            if (!sink.open(address{20}))
                break;
            while (entered.load() == before && !limit.passed())
                let_others_run();
            CHECK(sink.close());
            closed = true;
            CHECK(plain % 2 == 0);
            expected = plain;
        }
        enough = true;
        sender.join();
    }
    CHECK_FALSE(limit.passed());
    CHECK(too_late == 0);
    CHECK(plain == expected);
    CHECK(plain == 2 * entered);
}

TEMPLATE_TEST_CASE("a bus that one thread stops and starts refuses what others send meanwhile, and goes on",
                   "[bus][thread]", (with<as_driver, threads_board>), (with<as_device, threads_board>),
                   (with<as_driver, remembering_board>), (with<as_device, quiet_board>))
{
    using role = typename TestType::role;
    constexpr int stops = 100;
    loopback<typename TestType::board> link;
    auto& here = role::here(link);
    auto& there = role::there(link);
    is_shared(link.bytes());
    const time_limit limit;
    std::atomic<bool> enough{false};
    std::atomic<std::uint32_t> unexpected{0};
    std::atomic<std::uint32_t> sent{0};
    std::atomic<std::uint32_t> heard{0};
    {
        endpoint sink{there, [&](message in) {
                          ++heard;
                          return in.payload();
                      }};
        endpoint named{here, [](message) {}, on_bound{[] {}}, on_unbound{[] {}}};
        endpoint peer{there, [](message) {}};
        REQUIRE(sink.open(address{20}));
        REQUIRE(named.open("named"));
        REQUIRE(peer.open("named"));
        poller theirs{there};
        poller ours{here};

        const auto judge = [&](errc why) {
            if (why == errc{})
                ++sent;
            else if (why != errc::link_down && why != errc::stale && why != errc::full &&
                     why != errc::timed_out &&
                     why != errc::protocol)  // the other end was not yet off the rings that were made anew
                unexpected = 1U + static_cast<std::uint32_t>(why);
        };
        const auto send = [&](std::uint32_t local, bool waits) {
            endpoint out{here, [](message) {}};
            if (!out.open(address{local}, towards{20}))
                ++unexpected;
            while (!enough && !limit.passed()) {
                judge((waits ? out.send(bytes("word"), 10ms) : out.try_send(bytes("word"))).error());
                let_others_run();
            }
        };
        const auto fill_and_send = [&] {
            endpoint out{here};
            if (!out.open(address{33}, towards{20}))
                ++unexpected;
            while (!enough && !limit.passed()) {
                auto slot = out.acquire(10ms);
                let_others_run();
                if (!slot)
                    judge(slot.error());
                else if (!slot.payload().empty())
                    judge(std::move(slot).send(0).error());
            }
        };
        std::array<std::thread, 3> threads{std::thread{send, 31U, true}, std::thread{send, 32U, false},
                                           std::thread{fill_and_send}};
        for (int n = 0; n != stops && !limit.passed(); ++n) {
            here.stop();
            // Where another thread polls, it takes effect when that poll ends.
            while (here.state() != link_state::down && !limit.passed())
                let_others_run();
            here.start();
            while (here.state() != link_state::up && !limit.passed())
                let_others_run();
            const auto before = sent.load();
            while (sent.load() == before && !limit.passed())
                let_others_run();
        }
        enough = true;
        for (auto& t : threads)
            t.join();
        // Nothing was lost on the way: both ends still talk, and are bound again.
        while (!(here.state() == link_state::up && named.is_bound() && peer.is_bound()) && !limit.passed())
            let_others_run();
        CHECK(named.is_bound());
        CHECK(peer.is_bound());
    }
    CHECK_FALSE(limit.passed());
    CHECK(unexpected.load() == 0);
    CHECK(here.epoch() >= stops - 1);  // the first stop may come before the link
    CHECK(heard != 0);
}
