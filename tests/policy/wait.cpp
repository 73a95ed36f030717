#include <rpmsg/policy/wait.hpp>

#include <rpmsg/testing/manual_clock.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <type_traits>

using namespace rpmsg::policy;
using namespace std::chrono_literals;

namespace {

int yields = 0;
void yield() noexcept { ++yields; }

using until = deadline<rpmsg::testing::manual_clock>;

struct throwing {
    template <typename Ready, typename Deadline>
    void sleep(Ready&&, Deadline)
    {}
};

static_assert(rpmsg::policy::wait<spin> && rpmsg::policy::wait<yielding<yield>>);
static_assert(!rpmsg::policy::wait<throwing> && !rpmsg::policy::wait<int>);
static_assert(std::is_empty_v<spin> && std::is_empty_v<yielding<yield>>);

constinit spin made_before_main;

}  // namespace

TEST_CASE("spinning returns at once", "[policy]")
{
    bool asked = false;
    made_before_main.sleep([&]() noexcept { return asked = true; }, until{1h});
    CHECK_FALSE(asked);
}

TEST_CASE("yielding lets others go on unless there is something to do", "[policy]")
{
    yields = 0;
    yielding<yield> model;

    model.sleep([]() noexcept { return true; }, until{1h});
    CHECK(yields == 0);
    model.sleep([]() noexcept { return false; }, until{1h});
    CHECK(yields == 1);
    model.sleep([]() noexcept { return false; }, deadline<no_clock>{});
    CHECK(yields == 2);
}
