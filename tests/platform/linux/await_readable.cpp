#include <rpmsg/platform/linux/await_readable.hpp>

#include <rpmsg/platform/linux/eventfd.hpp>

#include "support/catch.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include <sys/time.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using rpmsg::errc;

namespace {

volatile std::sig_atomic_t interruptions = 0;

/// Interrupts system calls every millisecond for as long as it lives.
class interrupting {
public:
    interrupting()
    {
        struct ::sigaction action{};
        action.sa_handler = [](int) { interruptions = interruptions + 1; };  // and no SA_RESTART
        ::sigaction(SIGALRM, &action, &before_);
        const ::itimerval each{{0, 1000}, {0, 1000}};
        ::setitimer(ITIMER_REAL, &each, nullptr);
    }
    ~interrupting()
    {
        const ::itimerval off{};
        ::setitimer(ITIMER_REAL, &off, nullptr);
        ::sigaction(SIGALRM, &before_, nullptr);
    }
    interrupting(const interrupting&) = delete;
    interrupting& operator=(const interrupting&) = delete;

private:
    struct ::sigaction before_{};
};

}  // namespace

TEST_CASE("waiting for a file ends when it can be read", "[platform]")
{
    const auto bell = make_eventfd();
    REQUIRE(bell);

    SECTION("at once if it can already")
    {
        eventfd_doorbell{*bell}.ring();
        CHECK(await_readable(bell->get(), 0s));
        CHECK(await_readable(bell->get(), 1min));
    }
    SECTION("at the deadline if it cannot")
    {
        const auto before = std::chrono::steady_clock::now();
        CHECK(await_readable(bell->get(), 5ms).error() == errc::timed_out);
        CHECK(std::chrono::steady_clock::now() - before >= 4ms);
    }
    SECTION("at once if the deadline has passed")
    {
        CHECK(await_readable(bell->get(), 0s).error() == errc::timed_out);
    }
    SECTION("and signals neither end nor prolong it")
    {
        interruptions = 0;
        const interrupting meanwhile;
        const auto before = std::chrono::steady_clock::now();
        while (interruptions == 0)  // a slow machine may need more than one wait to be interrupted
            REQUIRE(await_readable(bell->get(), 20ms).error() == errc::timed_out);
        CHECK(std::chrono::steady_clock::now() - before >= 19ms);
    }
    SECTION("when the other end hangs up")
    {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        const file_descriptor reader{ends[0]};
        file_descriptor{ends[1]}.reset();
        CHECK(await_readable(reader.get(), 1min));
    }
}

TEST_CASE("a file that is not open cannot be waited for", "[platform]")
{
    const int number = GENERATE(-1, 1'000'000);
    CHECK(await_readable(number, 1min).error() == errc::system);
    CHECK(errno == EBADF);
}
