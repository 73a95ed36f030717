#include <rpmsg/testing/journal.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <sstream>
#include <vector>

using namespace rpmsg::testing;

TEST_CASE("a journal keeps what happened in order", "[testing]")
{
    journal log;
    const int somewhere = 0;
    const int elsewhere = 0;

    log.write(event::store_release, &somewhere, 3);
    log.write(event::full_barrier);
    log.write(event::ring, nullptr, 1, 7);

    CHECK(log.events() == std::vector{event::store_release, event::full_barrier, event::ring});
    CHECK(log.entries().front().where == &somewhere);
    CHECK(log.entries().front().value == 3);
    CHECK(log.entries().back().detail == 7);

    SECTION("and tells whether steps were taken in an order")
    {
        CHECK(log.has_in_order({}));
        CHECK(log.has_in_order({{event::store_release}, {event::ring}}));
        CHECK(log.has_in_order(
            {{event::store_release, &somewhere, 3}, {event::full_barrier}, {event::ring, nullptr, 1}}));
        CHECK_FALSE(log.has_in_order({{event::ring}, {event::store_release}}));
        CHECK_FALSE(log.has_in_order({{event::ring}, {event::ring}}));
        CHECK_FALSE(log.has_in_order({{event::store_release, &elsewhere}}));
        CHECK_FALSE(log.has_in_order({{event::store_release, &somewhere, 4}}));
    }
    SECTION("and finds and counts them")
    {
        log.write(event::ring, nullptr, 0);
        CHECK(log.count(event::ring) == 2);
        CHECK(log.count({event::ring, nullptr, 0}) == 1);
        CHECK(log.count(event::sleep) == 0);
        REQUIRE(log.find({event::ring}) != nullptr);
        CHECK(log.find({event::ring})->value == 1);
        CHECK(log.find({event::sleep}) == nullptr);
    }
    SECTION("until it is cleared")
    {
        log.clear();
        CHECK(log.entries().empty());
    }
}

TEST_CASE("an operation on a range is found by any byte in it", "[testing]")
{
    journal log;
    std::array<std::byte, 8> memory{};
    log.write(event::clean, &memory[2], 4);

    CHECK(log.count({event::clean, &memory[2]}) == 1);
    CHECK(log.count({event::clean, &memory[5]}) == 1);
    CHECK(log.count({event::clean, &memory[6]}) == 0);
    CHECK(log.count({event::clean, &memory[1]}) == 0);
    CHECK(log.count({event::invalidate, &memory[2]}) == 0);
}

TEST_CASE("an entry carries the watched memory as it was before", "[testing]")
{
    journal log;
    std::array<std::byte, 2> memory{std::byte{1}, std::byte{2}};

    log.mark(1);
    log.watch(memory);
    log.mark(2);
    memory[0] = std::byte{9};
    log.mark(3);

    CHECK(log.entries()[0].memory.empty());
    CHECK(log.entries()[1].memory == std::vector{std::byte{1}, std::byte{2}});
    CHECK(log.entries()[2].memory == std::vector{std::byte{9}, std::byte{2}});
}

TEST_CASE("what a test arranged happens just before the event", "[testing]")
{
    journal log;

    SECTION("each time")
    {
        log.when(event::full_barrier, [&] { log.mark(); });
        log.write(event::full_barrier);
        log.write(event::ring);
        log.write(event::full_barrier);
        CHECK(log.events() ==
              std::vector{event::mark, event::full_barrier, event::ring, event::mark, event::full_barrier});
    }
    SECTION("once")
    {
        log.once(event::full_barrier, [&] { log.mark(); });
        log.write(event::full_barrier);
        log.write(event::full_barrier);
        CHECK(log.events() == std::vector{event::mark, event::full_barrier, event::full_barrier});
    }
    SECTION("until it is to react no more")
    {
        log.when(event::full_barrier, [&] { log.mark(); });
        log.react_no_more();
        log.write(event::full_barrier);
        CHECK(log.events() == std::vector{event::full_barrier});
    }
    SECTION("and not again by its own doing")
    {
        log.when(event::ring, [&] { log.write(event::ring, nullptr, 1); });
        log.write(event::ring, nullptr, 2);
        CHECK(log.has_in_order({{event::ring, nullptr, 1}, {event::ring, nullptr, 2}}));
        CHECK(log.entries().size() == 2);
    }
    SECTION("even when it arranges more")
    {
        log.once(event::ring, [&] { log.once(event::sleep, [&] { log.mark(); }); });
        log.write(event::ring);
        log.write(event::sleep);
        CHECK(log.events() == std::vector{event::ring, event::mark, event::sleep});
    }
}

TEST_CASE("a recorder without a journal finds the innermost one", "[testing]")
{
    struct model : recorder {
        using recorder::recorder;
        void act() { write(event::mark); }
    };

    model{}.act();  // there is none

    journal outer;
    model hears_outer;
    {
        journal inner;
        CHECK(journal::innermost() == &inner);
        model{}.act();
        hears_outer.act();
        model{outer}.act();
        CHECK(inner.entries().size() == 1);
    }
    CHECK(journal::innermost() == &outer);
    auto copy = hears_outer;
    copy.act();
    CHECK(outer.entries().size() == 3);
}

TEST_CASE("mistakes are told apart from what may happen", "[testing]")
{
    journal log;
    log.write(event::ring);
    CHECK(log.mistakes() == 0);
    log.write_mistake("too late");
    CHECK(log.mistakes() == 1);
    CHECK(log.entries().back().note == "too late");
}

TEST_CASE("a journal can be read by people", "[testing]")
{
    journal log;
    log.write(event::store_release, nullptr, 3, 4);
    log.write_mistake("too late");

    std::ostringstream text;
    text << log;
    CHECK_THAT(text.str(),
               Catch::Matchers::Contains("store_release") && Catch::Matchers::Contains("value=3 detail=4"));
    CHECK_THAT(text.str(), Catch::Matchers::Contains("mistake") && Catch::Matchers::Contains(" too late\n"));

    for (auto what = event::load_acquire; what != event::mistake;
         what = static_cast<event>(static_cast<int>(what) + 1))
        CHECK_FALSE(to_string(what).empty());
}
