#include <rpmsg/policy/clock.hpp>

#include <rpmsg/testing/manual_clock.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

using namespace rpmsg::policy;
using namespace std::chrono_literals;

namespace {

using milliseconds_clock = rpmsg::testing::basic_manual_clock<struct slow, 1000>;
using crystal_clock = rpmsg::testing::basic_manual_clock<struct crystal, 32768>;
using fast_clock = rpmsg::testing::basic_manual_clock<struct fast, 160'000'000>;
using until = deadline<milliseconds_clock>;

constexpr std::uint32_t longest = 0x7fff'ffff;

struct wide_clock {
    static constexpr std::uint32_t ticks_per_second = 1000;
    static std::uint64_t now() noexcept { return 0; }
};
struct throwing_clock {
    static constexpr std::uint32_t ticks_per_second = 1000;
    static std::uint32_t now() { return 0; }
};
static_assert(rpmsg::policy::clock<no_clock> && rpmsg::policy::clock<milliseconds_clock>);
static_assert(!rpmsg::policy::clock<wide_clock> && !rpmsg::policy::clock<throwing_clock>);
static_assert(sizeof(until) == 8 && std::is_trivially_copyable_v<until>);

constinit until made_before_main;
static_assert(deadline<no_clock>{24h}.passed() && deadline<no_clock>{24h}.remaining() == 0);

}  // namespace

TEST_CASE("a deadline passes when its time has come, and not before", "[policy]")
{
    milliseconds_clock::set(5000);
    const until then{20ms};

    CHECK(then.remaining() == 20);
    CHECK_FALSE(then.passed());
    milliseconds_clock::advance(19);
    CHECK(then.remaining() == 1);
    CHECK_FALSE(then.passed());
    milliseconds_clock::advance(1);
    CHECK(then.remaining() == 0);
    CHECK(then.passed());
    milliseconds_clock::advance(longest);
    CHECK(then.passed());
}

TEST_CASE("a deadline is not troubled by the clock's wrap", "[policy]")
{
    milliseconds_clock::set(0xffff'fff0);
    const until then{32ms};

    CHECK(then.remaining() == 32);
    milliseconds_clock::set(0xffff'ffff);
    CHECK(then.remaining() == 17);
    milliseconds_clock::set(0);
    CHECK(then.remaining() == 16);
    CHECK_FALSE(then.passed());
    milliseconds_clock::set(0x0f);
    CHECK_FALSE(then.passed());
    milliseconds_clock::set(0x10);
    CHECK(then.passed());
    milliseconds_clock::set(0x11);
    CHECK(then.passed());
}

TEST_CASE("a duration is rounded up to ticks", "[policy]")
{
    CHECK(until{1ns}.remaining() == 1);
    CHECK(until{1ms}.remaining() == 1);
    CHECK(until{1001us}.remaining() == 2);
    CHECK(until{2min}.remaining() == 120'000);
    CHECK(until{std::chrono::duration<double>{0.0105}}.remaining() == 11);

    CHECK(deadline<crystal_clock>{1ms}.remaining() == 33);
    CHECK(deadline<crystal_clock>{1s}.remaining() == 32768);
    CHECK(deadline<fast_clock>{1us}.remaining() == 160);
    CHECK(deadline<fast_clock>{1ns}.remaining() == 1);
}

TEST_CASE("a deadline that was never in the future has passed", "[policy]")
{
    CHECK(made_before_main.passed());
    CHECK(until{}.passed());
    CHECK(until{0ms}.passed());
    CHECK(until{-1ms}.passed());
    CHECK(until{-1ns}.passed());
    CHECK(until{std::chrono::hours::min()}.passed());
    CHECK(deadline<fast_clock>{std::chrono::nanoseconds::min()}.passed());
    CHECK(deadline<fast_clock>{std::chrono::seconds::min()}.passed());
    CHECK(until{std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}}.passed());
}

TEST_CASE("the longest wait is 2^31 - 1 ticks", "[policy]")
{
    CHECK(until{std::chrono::milliseconds{longest}}.remaining() == longest);
    CHECK(until{std::chrono::milliseconds{longest} + 1ms}.remaining() == longest);
    CHECK(until{1000h}.remaining() == longest);
    CHECK(until{std::chrono::milliseconds::max()}.remaining() == longest);
    CHECK(until{std::chrono::hours::max()}.remaining() == longest);
    CHECK(until{std::chrono::duration<std::uint64_t>::max()}.remaining() == longest);
    CHECK(until{std::chrono::duration<double>{1e30}}.remaining() == longest);
    CHECK(until{std::chrono::duration<float, std::milli>{2147483648.0F}}.remaining() == longest);
    CHECK(deadline<fast_clock>{1h}.remaining() == longest);
    CHECK(deadline<fast_clock>{13s}.remaining() == 2'080'000'000);
}

TEST_CASE("a duration may be counted in any integer", "[policy]")
{
    CHECK(until{std::chrono::duration<std::int32_t, std::micro>{5000}}.remaining() == 5);
    CHECK(until{std::chrono::duration<std::uint32_t, std::milli>{7}}.remaining() == 7);
    CHECK(until{std::chrono::duration<std::uint16_t>{60}}.remaining() == 60'000);
    CHECK(until{std::chrono::duration<std::int8_t>{-3}}.passed());
}

TEST_CASE("a deadline can be brought nearer, and not put off", "[policy]")
{
    milliseconds_clock::set(100);
    const until then{20ms};

    CHECK(then.no_later_than(5).remaining() == 5);
    CHECK(then.no_later_than(20).remaining() == 20);
    CHECK(then.no_later_than(21).remaining() == 20);
    CHECK(then.no_later_than(0xffff'ffff).remaining() == 20);
    CHECK(then.no_later_than(0).remaining() == 20);
    CHECK(then.remaining() == 20);

    CHECK(until{}.no_later_than(5).passed());
    milliseconds_clock::advance(20);
    CHECK(then.no_later_than(5).passed());
}

TEST_CASE("without a clock every deadline has passed", "[policy]")
{
    CHECK(deadline<no_clock>{std::chrono::hours::max()}.passed());
    CHECK(deadline<no_clock>{1ms}.no_later_than(1).passed());
    CHECK(no_clock::now() == 0);
}
