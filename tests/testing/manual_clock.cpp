#include <rpmsg/testing/manual_clock.hpp>

#include "support/catch.hpp"

using namespace rpmsg::testing;

namespace {

using other_clock = basic_manual_clock<struct other, 50>;
static_assert(rpmsg::policy::clock<other_clock> && other_clock::ticks_per_second == 50);
static_assert(manual_clock::ticks_per_second == 1000);

}  // namespace

TEST_CASE("a manual clock moves only when it is moved", "[testing]")
{
    manual_clock::set(7);
    CHECK(manual_clock::now() == 7);
    CHECK(manual_clock::now() == 7);

    manual_clock::advance(3);
    CHECK(manual_clock::now() == 10);
    manual_clock::slept();
    CHECK(manual_clock::now() == 11);

    manual_clock::set(0xffff'ffff, 2);
    manual_clock::slept();
    CHECK(manual_clock::now() == 1);

    manual_clock::set(5, 0);
    manual_clock::slept();
    CHECK(manual_clock::now() == 5);
}

TEST_CASE("manual clocks of different tags have their own time", "[testing]")
{
    manual_clock::set(1);
    other_clock::set(2);
    CHECK(manual_clock::now() == 1);
    CHECK(other_clock::now() == 2);
}
