#include <rpmsg/testing/recording_address_map.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <span>

using namespace rpmsg::testing;

TEST_CASE("a recording address map answers as the one it wraps, and writes it down", "[testing]")
{
    journal log;
    std::array<std::byte, 64> memory{};
    const recording_address_map map{rpmsg::policy::offset{std::span{memory}, 0x1000}};

    CHECK(map.to_local(0x1010, 8) == &memory[0x10]);
    CHECK(map.to_local(0x103f, 2) == nullptr);
    CHECK(map.to_peer(&memory[1]) == 0x1001);

    CHECK(log.has_in_order({{event::to_local, &memory[0x10], 0x1010},
                            {event::to_local, nullptr, 0x103f},
                            {event::to_peer, &memory[1], 0x1001}}));
    CHECK(log.entries().front().detail == 8);
}

TEST_CASE("a recording address map may map nothing", "[testing]")
{
    journal log;
    const recording_address_map map;
    CHECK(map.to_local(0, 1) == nullptr);
    CHECK(log.count(event::to_local) == 1);
}

TEST_CASE("a holding map writes down how often its memory was held and dropped", "[testing]")
{
    journal log;
    std::array<std::byte, 64> memory{};
    recording_holding_address_map map{log, rpmsg::policy::offset{std::span{memory}, 0}};
    auto copy = map;

    map.hold(3);
    copy.drop(3);
    CHECK(log.count({event::hold, nullptr, 3}) == log.count({event::drop, nullptr, 3}));
}
