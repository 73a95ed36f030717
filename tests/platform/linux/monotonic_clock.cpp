#include <rpmsg/platform/linux/monotonic_clock.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <thread>

using namespace std::chrono_literals;
using rpmsg::platform::monotonic_clock;

TEST_CASE("the monotonic clock counts microseconds", "[platform]")
{
    const auto before = std::chrono::steady_clock::now();
    const auto start = monotonic_clock::now();
    std::this_thread::sleep_for(2ms);
    const auto ticks = monotonic_clock::now() - start;
    const auto around = std::chrono::steady_clock::now() - before;

    CHECK(ticks >= 2000);
    CHECK(std::chrono::microseconds{ticks} <= around + 1us);  // each reading is rounded down
}

TEST_CASE("a deadline on the monotonic clock passes, and not before its time", "[platform]")
{
    const auto before = std::chrono::steady_clock::now();
    const rpmsg::policy::deadline<monotonic_clock> until{1ms};
    while (!until.passed()) {}
    CHECK(std::chrono::steady_clock::now() - before >= 999us);

    CHECK(rpmsg::policy::deadline<monotonic_clock>{0ms}.passed());
    CHECK_FALSE(rpmsg::policy::deadline<monotonic_clock>{24h}.passed());  // the longest there is, 35 minutes
}
