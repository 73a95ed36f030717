#include <rpmsg/platform/linux/time_left.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;
using rpmsg::platform::time_left;
using rpmsg::platform::to_timespec;

namespace {

/// A clock that the test sets.
template <std::uint32_t TicksPerSecond>
struct set_clock {
    static constexpr std::uint32_t ticks_per_second = TicksPerSecond;
    static inline std::uint32_t ticks = 0;
    static std::uint32_t now() noexcept { return ticks; }
};

}  // namespace

TEST_CASE("the time left is that of the deadline's own clock, rounded up", "[platform]")
{
    using crystal = set_clock<32768>;
    crystal::ticks = 0xFFFF'FFFF;  // about to run around
    const rpmsg::policy::deadline<crystal> until{1s};

    CHECK(time_left(until) == 1s);
    crystal::ticks += 32767;
    CHECK(time_left(until) == 30'518ns);  // one tick is 30 517.6 ns
    crystal::ticks += 1;
    CHECK(time_left(until) == 0ns);
    crystal::ticks += 1;
    CHECK(time_left(until) == 0ns);
}

TEST_CASE("the longest time left of the slowest and the fastest clock is still a number", "[platform]")
{
    CHECK(time_left(rpmsg::policy::deadline<set_clock<1>>{1'000'000h}) == 0x7FFF'FFFFs);
    CHECK(time_left(rpmsg::policy::deadline<set_clock<1'000'000'000>>{1h}) == 0x7FFF'FFFFns);
}

TEST_CASE("without a clock no time is left", "[platform]")
{
    CHECK(time_left(rpmsg::policy::deadline<rpmsg::policy::no_clock>{1h}) == 0ns);
}

TEST_CASE("a time becomes seconds and nanoseconds", "[platform]")
{
    const auto time = to_timespec(3s + 17ns);
    CHECK(time.tv_sec == 3);
    CHECK(time.tv_nsec == 17);

    SECTION("and a negative one is none at all, which ppoll() would refuse")
    {
        const auto past = to_timespec(-1ns);
        CHECK(past.tv_sec == 0);
        CHECK(past.tv_nsec == 0);
    }
}
