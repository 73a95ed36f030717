#include <rpmsg/testing/recording_wait.hpp>

#include <rpmsg/testing/recording_exclusion.hpp>

#include "support/catch.hpp"

#include <chrono>

using namespace rpmsg::testing;
using namespace std::chrono_literals;
using until = rpmsg::policy::deadline<manual_clock>;

TEST_CASE("a recording wait sleeps by moving the clock on", "[testing]")
{
    journal log;
    manual_clock::set(100, 5);
    recording_wait model;
    const until then{20ms};

    model.sleep([]() noexcept { return false; }, then);
    CHECK(manual_clock::now() == 105);
    model.sleep([]() noexcept { return false; }, then);
    CHECK(manual_clock::now() == 110);

    CHECK(log.has_in_order({{event::sleep, nullptr, 20}, {event::sleep, nullptr, 15}}));
    CHECK(log.entries().back().detail == 0);
    CHECK(log.mistakes() == 0);
}

TEST_CASE("a recording wait ends by itself when its deadline comes", "[testing]")
{
    manual_clock::set(0xffff'fffe);
    recording_wait model;
    const until then{20ms};

    int sleeps = 0;
    for (; !then.passed(); ++sleeps)
        model.sleep([]() noexcept { return false; }, then);
    CHECK(sleeps == 20);
}

TEST_CASE("a recording wait does not sleep when the peer moved in time", "[testing]")
{
    journal log;
    manual_clock::set(100, 5);
    recording_wait model;
    bool ready = false;
    log.once(event::sleep, [&] { ready = true; });

    model.sleep([&]() noexcept { return ready; }, until{20ms});
    CHECK(manual_clock::now() == 100);
    CHECK(log.entries().back().detail == 1);
}

TEST_CASE("sleeping while an exclusion is held is a mistake", "[testing]")
{
    journal log;
    recording_exclusion exclusion;
    recording_wait model;

    const rpmsg::policy::scope held{exclusion};
    model.sleep([]() noexcept { return true; }, until{});
    CHECK(log.mistakes() == 1);
}
