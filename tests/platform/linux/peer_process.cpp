#include <rpmsg/platform/linux/peer_process.hpp>

#include <rpmsg/platform/linux/eventfd.hpp>
#include <rpmsg/platform/linux/monotonic_clock.hpp>

#include "forked.hpp"
#include "must.hpp"
#include "ping_pong.hpp"
#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::a_hang;
using platform_test::forked;
using platform_test::must;
using platform_test::sleep_for_ever;
using platform_test::until;
using rpmsg::errc;
using rpmsg::policy::peer_life;

namespace {

/// Asks until the answer is another one than this, or for as long as only a hang takes.
peer_life after(peer_life before, peer_process peer)
{
    const until deadline{a_hang};
    auto now = peer.peer();
    while (now == before && !deadline.passed()) {
        std::this_thread::sleep_for(100us);
        now = peer.peer();
    }
    return now;
}

}  // namespace

static_assert(sizeof(peer_process) == sizeof(void*));

TEST_CASE("nothing is known of a peer that nobody watches", "[platform]")
{
    process whom;
    CHECK(peer_process{}.peer() == peer_life::unknown);
    CHECK(peer_process{whom}.peer() == peer_life::unknown);
    CHECK(whom.watched().fd == -1);
}

TEST_CASE("a peer is alive until it is killed, and gone from then on", "[platform]")
{
    const forked child{sleep_for_ever};
    process whom;
    REQUIRE(whom.watch(child.pid()));
    peer_process peer{whom};
    CHECK(peer.peer() == peer_life::alive);
    CHECK(peer.peer() == peer_life::alive);

    child.kill();
    CHECK(after(peer_life::alive, peer) == peer_life::gone);
    CHECK(peer.peer() == peer_life::gone);

    SECTION("until its successor is watched: it says once that it has restarted")
    {
        const forked successor{sleep_for_ever};
        REQUIRE(whom.watch(successor.pid()));
        CHECK(peer.peer() == peer_life::restarted);
        CHECK(peer.peer() == peer_life::alive);
        successor.kill();
        CHECK(after(peer_life::alive, peer) == peer_life::gone);
    }
    SECTION("and a successor that does not exist changes nothing")
    {
        CHECK(whom.watch(-1).error() == errc::system);
        CHECK(whom.watch(file_descriptor{}).error() == errc::system);
        CHECK(errno == EBADF);
        CHECK(peer.peer() == peer_life::gone);
    }
}

TEST_CASE("a peer that is replaced while it lives has restarted, too", "[platform]")
{
    const forked child{sleep_for_ever};
    const forked successor{sleep_for_ever};
    process whom;
    REQUIRE(whom.watch(child.pid()));
    REQUIRE(whom.watch(successor.pid()));
    CHECK(peer_process{whom}.peer() == peer_life::restarted);
    child.kill();
    CHECK(peer_process{whom}.peer() == peer_life::alive);
}

TEST_CASE("a peer that is known by its socket is gone when that hangs up", "[platform]")
{
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    file_descriptor theirs{ends[1]};
    process whom;
    REQUIRE(whom.watch(file_descriptor{ends[0]}));
    peer_process peer{whom};

    REQUIRE(::write(theirs.get(), "hello", 5) == 5);  // not read: a message is no sign of death
    std::this_thread::sleep_for(20ms);                // into another tick of the coarse clock
    CHECK(peer.peer() == peer_life::alive);

    theirs.reset();
    CHECK(after(peer_life::alive, peer) == peer_life::gone);
}

TEST_CASE("the death of a peer wakes who sleeps on its doorbell", "[platform]")
{
    const forked child{sleep_for_ever};
    process whom;
    REQUIRE(whom.watch(child.pid()));
    const auto bell = must(make_eventfd());
    eventfd_waiters threads{bell};
    threads.wake_once_on(whom.watched());
    threads.drain();

    const until deadline{a_hang};
    eventfd_wait{threads}.sleep(
        [&]() noexcept {
            child.kill();
            return false;
        },
        deadline);
    CHECK_FALSE(deadline.passed());
    CHECK(after(peer_life::alive, peer_process{whom}) == peer_life::gone);
}

TEST_CASE("one thread may name the peer's successor while others ask", "[platform][thread]")
{
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const file_descriptor ours{ends[0]};
    const file_descriptor theirs{ends[1]};
    process whom;
    REQUIRE(whom.watch(must(ours.duplicate())));

    constexpr int successors = 500;
    std::atomic<bool> done{false};
    std::atomic<int> restarts{0};
    std::atomic<bool> otherwise{false};
    const auto ask = [&] {
        peer_process peer{whom};
        bool last = false;
        while (!last) {
            last = done.load();
            const auto life = peer.peer();
            if (life == peer_life::restarted)
                ++restarts;
            else if (life != peer_life::alive)
                otherwise = true;
        }
    };
    std::thread first{ask};
    std::thread second{ask};
    bool watched = true;
    for (int i = 0; i < successors; ++i) {
        auto successor = ours.duplicate();
        watched = watched && successor && whom.watch(*std::move(successor));
        std::this_thread::yield();
    }
    done = true;
    first.join();
    second.join();

    CHECK(watched);
    CHECK_FALSE(otherwise);
    CHECK(restarts > 0);
    CHECK(restarts <= successors);
}
