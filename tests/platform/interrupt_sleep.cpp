#include <rpmsg/platform/interrupt_sleep.hpp>

#include <rpmsg/platform/cortex_a/cpu.hpp>
#include <rpmsg/platform/cortex_m/cpu.hpp>
#include <rpmsg/platform/cortex_r/cpu.hpp>
#include <rpmsg/platform/riscv/cpu.hpp>
#include <rpmsg/policy/clock.hpp>
#include <rpmsg/policy/wait.hpp>
#include <rpmsg/testing/manual_clock.hpp>

#include "fake_cpu.hpp"
#include "support/catch.hpp"
#include "trace.hpp"

#include <chrono>
#include <type_traits>

using namespace rpmsg::platform;
using namespace std::chrono_literals;
using platform_test::fake_cpu;
using platform_test::lines;
using platform_test::trace;
using rpmsg::testing::journal;

namespace {

using until = rpmsg::policy::deadline<rpmsg::testing::manual_clock>;
using model = interrupt_sleep<fake_cpu>;

static_assert(rpmsg::policy::wait<model> && std::is_empty_v<model>);
static_assert(rpmsg::policy::wait<cortex_m::sleep<>> && rpmsg::policy::wait<cortex_r::sleep<>>);
static_assert(rpmsg::policy::wait<cortex_a::sleep<>> && rpmsg::policy::wait<riscv::sleep<>>);
static_assert(std::is_same_v<cortex_m::sleep<fake_cpu>, model>);
static_assert(!sleeping_cpu<cortex_m::cpu_up_to<0x40>>, "WFI does not end for what BASEPRI holds back");
static_assert(!sleeping_cpu<int>);

constexpr auto answer = [](bool ready) {
    return [ready]() noexcept {
        platform_test::execute("ready?");
        return ready;
    };
};

}  // namespace

TEST_CASE("a processor sleeps only after it asked with interrupts masked", "[platform]")
{
    const journal log;
    fake_cpu::reset();
    model wait;

    SECTION("when there is nothing to do")
    {
        wait.sleep(answer(false), until{1h});
        CHECK(trace(log) == lines{"save and mask", "ready?", "wait", "restore", "take pending"});
        CHECK(fake_cpu::restored == fake_cpu::saved);
    }
    SECTION("not when there is something to do")
    {
        wait.sleep(answer(true), until{1h});
        CHECK(trace(log) == lines{"save and mask", "ready?", "restore", "take pending"});
    }
    SECTION("not when the time has come")
    {
        wait.sleep(answer(false), until{});
        CHECK(trace(log) == lines{"save and mask", "ready?", "restore", "take pending"});
    }
    SECTION("not without a clock: each deadline has passed")
    {
        wait.sleep(answer(false), rpmsg::policy::deadline<rpmsg::policy::no_clock>{1h});
        CHECK(trace(log) == lines{"save and mask", "ready?", "restore", "take pending"});
    }
    SECTION("but in a loop that has no deadline")
    {
        model::unless(answer(false));
        CHECK(trace(log) == lines{"save and mask", "ready?", "wait", "restore", "take pending"});
    }
    SECTION("with interrupts masked afterwards if they were before")
    {
        fake_cpu::masked = 1;
        model::unless(answer(true));
        CHECK(fake_cpu::masked == 1);
    }
}
