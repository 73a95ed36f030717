#include <rpmsg/platform/linux/futex.hpp>

#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/shared_memory.hpp>

#include "forked.hpp"
#include "must.hpp"
#include "ping_pong.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

#include <fcntl.h>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::a_hang;
using platform_test::must;
using platform_test::until;
using rpmsg::errc;
using rpmsg::policy::vring_id;

namespace {

constexpr auto not_ready = []() noexcept { return false; };

}  // namespace

static_assert(sizeof(futex_doorbell) == sizeof(void*) && sizeof(futex_wait) == sizeof(void*));
static_assert(offsetof(futex_words, wakes_driver) == 0 && offsetof(futex_words, wakes_device) == 64);

TEST_CASE("the bells lie where the layout puts them", "[platform]")
{
    const auto memory = must(shared_memory::create(4096, "bells"));
    const auto bytes = memory.bytes();

    CHECK(static_cast<void*>(must(futex_words_at(bytes, 0))) == bytes.data());
    CHECK(static_cast<void*>(must(futex_words_at(bytes, 4096 - 128))) == bytes.data() + 4096 - 128);

    SECTION("but nowhere else")
    {
        CHECK(futex_words_at(bytes, 4).error() == errc::misaligned);
        CHECK(futex_words_at(bytes, 4096 - 64).error() == errc::out_of_map);
        CHECK(futex_words_at(bytes, 4097).error() == errc::out_of_map);
        CHECK(futex_words_at(bytes, SIZE_MAX).error() == errc::out_of_map);
        CHECK(futex_words_at({}, 0).error() == errc::out_of_map);
    }
}

TEST_CASE("each ring counts up and around", "[platform]")
{
    futex_bell bell{0xFFFF'FFFF, 0};
    futex_doorbell{bell}.ring(vring_id::to_device);
    CHECK(bell.rings == 0);
    futex_doorbell{bell}.ring(vring_id::to_driver);
    CHECK(bell.rings == 1);
    CHECK(bell.sleepers == 0);
}

TEST_CASE("ringing leaves errno alone", "[platform]")
{
    errno = ENOSPC;
    SECTION("when nobody is to be rung") { futex_doorbell{}.ring(vring_id::to_driver); }
    SECTION("when the peer says that it sleeps and does not")
    {
        futex_bell bell{0, 0xFFFF'FFFF};
        futex_doorbell{bell}.ring();
        CHECK(bell.rings == 1);
    }
    CHECK(errno == ENOSPC);
}

TEST_CASE("sleeping on a futex ends", "[platform]")
{
    futex_bell bell{7, 0};
    futex_wait wait{bell};
    const until deadline{a_hang};

    SECTION("when the bell rings after the sleeper began, even before it is asleep")
    {
        const auto rung_meanwhile = [&]() noexcept {
            futex_doorbell{bell}.ring();
            return false;
        };
        wait.sleep(rung_meanwhile, deadline);
    }
    SECTION("when there is something to do already")
    {
        wait.sleep([]() noexcept { return true; }, deadline);
    }
    SECTION("at the deadline, and not before")
    {
        const auto before = std::chrono::steady_clock::now();
        while (std::chrono::steady_clock::now() - before < 2ms)
            wait.sleep(not_ready, until{3ms});
        futex_doorbell{bell}.ring();  // a ring before the sleep does not end it
        wait.sleep(not_ready, until{1ms});
    }
    SECTION("at once when the deadline has passed, of whatever clock")
    {
        wait.sleep(not_ready, until{});
        wait.sleep(not_ready, rpmsg::policy::deadline<rpmsg::policy::no_clock>{1h});
    }
    SECTION("at once when it sleeps on nothing") { futex_wait{}.sleep(not_ready, deadline); }

    CHECK_FALSE(deadline.passed());
    CHECK(bell.sleepers == 0);
}

TEST_CASE("a peer that writes nonsense into the words delays nobody beyond the deadline", "[platform]")
{
    futex_bell bell{0, 0};
    futex_wait wait{bell};
    const auto scribbled = [&]() noexcept {
        bell.sleepers = 0xFFFF'FFFF;  // runs around when the sleeper says so
        return false;
    };
    wait.sleep(scribbled, until{1ms});
    CHECK(bell.sleepers == 0xFFFF'FFFF);  // a system call a ring from now on, which is the peer's loss

    SECTION("and one who takes its place starts from nobody")
    {
        wait.forget_sleepers();
        CHECK(bell.sleepers == 0);
        futex_wait{}.forget_sleepers();
    }
}

TEST_CASE("one ring wakes every thread that sleeps on a futex", "[platform][thread]")
{
    constexpr std::uint32_t rounds = 3000;
    futex_bell bell{};
    std::atomic<std::uint32_t> round{0};
    std::atomic<std::uint32_t> arrived{0};
    std::atomic<bool> slept_through{false};

    const auto sleeper = [&] {
        futex_wait wait{bell};
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
    std::thread first{sleeper};
    std::thread second{sleeper};
    for (std::uint32_t next = 1; next <= rounds; ++next) {
        for (std::uint32_t i = 0; i < next % 64; ++i)  // most rounds find both asleep
            std::this_thread::yield();
        round = next;
        futex_doorbell{bell}.ring();  // once, for both
        while (arrived.load() < 2 * next && !slept_through)
            std::this_thread::yield();
    }
    first.join();
    second.join();

    CHECK_FALSE(slept_through);
    CHECK(bell.sleepers == 0);
}

TEST_CASE("two processes on two futexes lose no wake-up in 20 000 rallies", "[platform]")
{
    const auto memory = shared_memory::create(4096, "ball");
    REQUIRE(memory);
    auto& words = *must(futex_words_at(memory->bytes(), 0));
    auto& ball = *reinterpret_cast<std::uint32_t*>(memory->bytes().data() + 2048);
    // From another mapping: the kernel knows a shared futex by its page, not by its address.
    const auto theirs = shared_memory::adopt(file_descriptor{::fcntl(memory->fd(), F_DUPFD_CLOEXEC, 0)});
    REQUIRE(theirs);
    auto& there = *must(futex_words_at(theirs->bytes(), 0));

    platform_test::forked peer{[&] {
        auto& their_ball = *reinterpret_cast<std::uint32_t*>(theirs->bytes().data() + 2048);
        return platform_test::play(their_ball, 1, futex_doorbell{there.wakes_driver},
                                   futex_wait{there.wakes_device});
    }};
    CHECK(platform_test::play(ball, 0, futex_doorbell{words.wakes_device}, futex_wait{words.wakes_driver}));
    CHECK(peer.went_well());
    CHECK(ball == 2 * platform_test::rallies);
    CHECK(words.wakes_driver.sleepers == 0);
    CHECK(words.wakes_device.sleepers == 0);
}
