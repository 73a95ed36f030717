#include <rpmsg/testing/recording_exclusion.hpp>

#include "support/catch.hpp"

#include <optional>
#include <type_traits>

using namespace rpmsg::testing;

namespace {

struct threads {
    static constexpr bool isr_safe = false;
    static constexpr bool others_progress = true;
};
static_assert(rpmsg::policy::exclusion<basic_recording_exclusion<threads>>);
static_assert(basic_recording_exclusion<threads>::others_progress && recording_exclusion::isr_safe);
static_assert(!std::is_copy_constructible_v<recording_exclusion>);

}  // namespace

TEST_CASE("a recording exclusion writes down who entered and left", "[testing]")
{
    journal log;
    recording_exclusion exclusion;
    CHECK_FALSE(log.is_locked());
    {
        const rpmsg::policy::scope held{exclusion};
        CHECK(log.is_locked());
    }
    exclusion.relax();

    CHECK_FALSE(log.is_locked());
    CHECK(log.has_in_order(
        {{event::enter, &exclusion}, {event::leave, &exclusion}, {event::relax, &exclusion}}));
    CHECK(log.mistakes() == 0);
}

TEST_CASE("two exclusions may be held at once, and are held until both are left", "[testing]")
{
    journal log;
    recording_exclusion first;
    recording_exclusion second;

    const auto one = first.enter();
    const auto two = second.enter();
    first.leave(one);
    CHECK(log.is_locked());
    second.leave(two);
    CHECK_FALSE(log.is_locked());
    CHECK(log.mistakes() == 0);
}

TEST_CASE("misuse of an exclusion is written down as a mistake", "[testing]")
{
    journal log;
    std::optional<recording_exclusion> exclusion{std::in_place};

    SECTION("entering it twice")
    {
        const auto first = exclusion->enter();
        const auto second = exclusion->enter();
        CHECK(log.mistakes() == 1);
        exclusion->leave(second);
        exclusion->leave(first);
        CHECK(log.mistakes() == 2);
        CHECK_FALSE(log.is_locked());
    }
    SECTION("leaving it without having entered")
    {
        exclusion->leave({});
        CHECK(log.mistakes() == 1);
        CHECK_FALSE(log.is_locked());
    }
    SECTION("leaving it with the state of another enter()")
    {
        const auto first = exclusion->enter();
        exclusion->leave(first);
        exclusion->enter();
        exclusion->leave(first);
        CHECK(log.mistakes() == 1);
        CHECK_FALSE(log.is_locked());
    }
    SECTION("destroying it while it is held")
    {
        exclusion->enter();
        exclusion.reset();
        CHECK(log.mistakes() == 1);
    }
    SECTION("not using it well")
    {
        exclusion->leave(exclusion->enter());
        exclusion.reset();
        CHECK(log.mistakes() == 0);
    }
}

TEST_CASE("a test says which context calls", "[testing]")
{
    journal log;
    recording_exclusion exclusion;
    const auto thread = exclusion.context();
    CHECK(thread != 0);

    log.run_as(15);
    CHECK(exclusion.context() == 15);
    log.run_as(thread);
    CHECK(exclusion.context() == thread);
}

TEST_CASE("an exclusion without a journal still excludes nobody", "[testing]")
{
    recording_exclusion exclusion;
    exclusion.leave(exclusion.enter());
    exclusion.leave({});
    CHECK(exclusion.context() == 1);
}
