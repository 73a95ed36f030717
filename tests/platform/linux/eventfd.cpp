#include <rpmsg/platform/linux/eventfd.hpp>

#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/shared_memory.hpp>

#include "forked.hpp"
#include "must.hpp"
#include "ping_pong.hpp"
#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::a_hang;
using platform_test::must;
using platform_test::until;
using rpmsg::policy::vring_id;

namespace {

/// One side's bell with what rings it and what sleeps on it.
struct one_bell {
    file_descriptor file = must(make_eventfd());
    eventfd_waiters threads{file};
    eventfd_doorbell bell{file};
    eventfd_wait wait{threads};

    [[nodiscard]] bool is_rung() const
    {
        ::pollfd look{file.get(), POLLIN, 0};
        return ::poll(&look, 1, 0) == 1;
    }
};

constexpr auto not_ready = []() noexcept { return false; };

std::chrono::nanoseconds time_of(auto call)
{
    const auto before = std::chrono::steady_clock::now();
    call();
    return std::chrono::steady_clock::now() - before;
}

}  // namespace

static_assert(sizeof(eventfd_doorbell) == sizeof(int));
static_assert(sizeof(eventfd_wait) == sizeof(void*));

TEST_CASE("an eventfd is nonblocking and closed on exec", "[platform]")
{
    const auto made = make_eventfd();
    REQUIRE(made);
    CHECK((::fcntl(made->get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(made->get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("ringing never waits and leaves errno alone", "[platform]")
{
    const one_bell one;
    errno = ENOSPC;

    SECTION("when the bell has been rung as often as it can be")
    {
        const std::uint64_t most = 0xFFFF'FFFF'FFFF'FFFE;
        REQUIRE(::write(one.file.get(), &most, sizeof most) == sizeof most);
        auto bell = one.bell;
        errno = ENOSPC;
        bell.ring(vring_id::to_device);
        CHECK(one.is_rung());
    }
    SECTION("when nobody is to be rung") { eventfd_doorbell{}.ring(vring_id::to_driver); }
    SECTION("when the file is none") { eventfd_doorbell{file_descriptor{}}.ring(); }

    CHECK(errno == ENOSPC);
}

TEST_CASE("sleeping on an eventfd ends", "[platform]")
{
    one_bell one;

    SECTION("when the bell rings after the sleeper began, even before it is asleep")
    {
        const auto rung_meanwhile = [&]() noexcept {
            one.bell.ring(vring_id::to_driver);
            return false;
        };
        const until deadline{a_hang};
        one.wait.sleep(rung_meanwhile, deadline);
        CHECK_FALSE(deadline.passed());
    }
    SECTION("when there is something to do already")
    {
        const until deadline{a_hang};
        one.wait.sleep([]() noexcept { return true; }, deadline);
        CHECK_FALSE(deadline.passed());
    }
    SECTION("at the deadline, and not before")
    {
        CHECK(time_of([&] { one.wait.sleep(not_ready, until{3ms}); }) >= 2ms);
    }
    SECTION("at once when the deadline has passed, of whatever clock")
    {
        one.wait.sleep(not_ready, until{});
        one.wait.sleep(not_ready, rpmsg::policy::deadline<rpmsg::policy::no_clock>{1h});
    }
    SECTION("at once when it sleeps on nothing")
    {
        eventfd_wait{}.sleep(not_ready, until{a_hang});
        CHECK(eventfd_wait{}.fd() == -1);
    }
    SECTION("when a thread of its own side wakes it")
    {
        const auto woken_meanwhile = [&]() noexcept {
            one.threads.wake();
            return false;
        };
        const until deadline{a_hang};
        one.wait.sleep(woken_meanwhile, deadline);
        CHECK_FALSE(deadline.passed());
    }
}

TEST_CASE("rings from before the sleep are taken back before it is asked whether there is something to do",
          "[platform]")
{
    one_bell one;
    one.bell.ring();
    one.bell.ring();
    bool was_rung = true;
    const auto look = [&]() noexcept {
        was_rung = one.is_rung();
        return false;
    };

    CHECK(time_of([&] { one.wait.sleep(look, until{3ms}); }) >= 2ms);
    CHECK_FALSE(was_rung);
}

TEST_CASE("a peer that makes the eventfd blocking stops nobody who sleeps", "[platform]")
{
    one_bell one;
    REQUIRE(::fcntl(one.file.get(), F_SETFL, 0) == 0);
    CHECK(time_of([&] { one.wait.sleep(not_ready, until{3ms}); }) >= 2ms);
    one.threads.drain();
    SUCCEED("nothing was read that was not there");
}

TEST_CASE("an event loop of one's own sees the bell and takes the rings back", "[platform]")
{
    one_bell one;
    CHECK(one.wait.fd() == one.file.get());
    CHECK_FALSE(one.is_rung());
    one.bell.ring();
    CHECK(one.is_rung());
    one.threads.drain();
    CHECK_FALSE(one.is_rung());
    one.threads.drain();
}

TEST_CASE("another file wakes a sleeper once", "[platform]")
{
    one_bell one;
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const file_descriptor reader{ends[0]};
    file_descriptor writer{ends[1]};
    one.threads.wake_once_on({reader.get(), POLLIN, 0});

    CHECK(time_of([&] { one.wait.sleep(not_ready, until{3ms}); }) >= 2ms);  // it has not fired yet

    writer.reset();
    const until deadline{a_hang};
    one.wait.sleep(not_ready, deadline);
    CHECK_FALSE(deadline.passed());
    CHECK(time_of([&] { one.wait.sleep(not_ready, until{3ms}); }) >= 2ms);  // and not for ever after

    SECTION("and when it is named again, once more")
    {
        one.threads.wake_once_on({reader.get(), POLLIN, 0});
        one.threads.drain();
        one.wait.sleep(not_ready, deadline);
        CHECK_FALSE(deadline.passed());
    }
}

TEST_CASE("one ring wakes every thread that sleeps, whichever reads the eventfd", "[platform][thread]")
{
    constexpr std::uint32_t rounds = 2000;
    constexpr std::uint32_t sleepers = 3;
    const int restless_threads = GENERATE(0, 2);
    one_bell one;
    std::atomic<std::uint32_t> round{0};
    std::atomic<std::uint32_t> arrived{0};
    std::atomic<bool> slept_through{false};
    std::atomic<bool> stop{false};

    const auto sleeper = [&](eventfd_wait wait) {
        for (std::uint32_t next = 1; next <= rounds && !slept_through; ++next) {
            const auto is_next = [&]() noexcept { return round.load() >= next; };
            const until deadline{a_hang};
            while (!is_next()) {
                wait.sleep(is_next, deadline);
                if (deadline.passed()) {
                    slept_through = true;
                    return;
                }
            }
            ++arrived;
        }
    };
    // Come and go: they lead for a moment, read what was rung, and leave the lead to whom it may concern.
    const auto restless = [&](eventfd_wait wait) {
        ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // for moments as short as they are meant
        while (!stop.load())
            wait.sleep([&]() noexcept { return stop.load(); }, until{5us});
    };

    std::vector<std::thread> threads;
    threads.reserve(5);
    for (int i = 0; i < restless_threads; ++i)
        threads.emplace_back(restless, one.wait);
    for (std::uint32_t i = 0; i < sleepers; ++i)
        threads.emplace_back(sleeper, one.wait);
    for (std::uint32_t next = 1; next <= rounds; ++next) {
        for (std::uint32_t i = 0; i < next % 64; ++i)  // most rounds find everybody asleep
            std::this_thread::yield();
        round = next;
        one.bell.ring();  // once, for all
        while (arrived.load() < sleepers * next && !slept_through)
            std::this_thread::yield();
    }
    stop = true;
    one.threads.wake();
    for (auto& thread : threads)
        thread.join();

    CHECK_FALSE(slept_through);
    CHECK(arrived == sleepers * rounds);
}

TEST_CASE("the lead goes on when the leader gives up", "[platform][thread]")
{
    one_bell one;
    std::atomic<bool> leading{false};
    std::atomic<bool> following{false};
    std::atomic<bool> go{false};
    std::atomic<bool> came{false};

    std::thread leader{[&] {
        // Stays in the lead until the other one has asked, then gives up after a moment.
        one.wait.sleep(
            [&]() noexcept {
                leading = true;
                while (!following.load())
                    std::this_thread::yield();
                return false;
            },
            until{1ms});
    }};
    std::thread follower{[&] {
        while (!leading.load())
            std::this_thread::yield();
        const until deadline{a_hang};
        while (!go.load() && !deadline.passed())
            one.wait.sleep(
                [&]() noexcept {
                    following = true;
                    return go.load();
                },
                deadline);
        came = !deadline.passed();
    }};
    leader.join();
    go = true;
    one.bell.ring();
    follower.join();
    CHECK(came);
}

TEST_CASE("two processes on two eventfds lose no wake-up in 20 000 rallies", "[platform]")
{
    const auto memory = shared_memory::create(4096, "ball");
    REQUIRE(memory);
    auto& ball = *reinterpret_cast<std::uint32_t*>(memory->bytes().data());
    one_bell ours;
    one_bell theirs;

    platform_test::forked peer{[&] { return platform_test::play(ball, 1, ours.bell, theirs.wait); }};
    CHECK(platform_test::play(ball, 0, theirs.bell, ours.wait));
    CHECK(peer.went_well());
    CHECK(ball == 2 * platform_test::rallies);
}
