#include <rpmsg/bus/handler.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <span>
#include <type_traits>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;

// A function without state takes no room.
constexpr auto nothing = [] {};
static_assert(std::is_empty_v<on_bound<decltype(nothing)>> && std::is_empty_v<follow_last_sender>);

TEST_CASE("an endpoint's functions take the peer's address or nothing", "[bus]")
{
    loopback<> link;
    std::vector<address> bound;
    std::vector<address> unbound;
    int times_bound = 0;
    int times_unbound = 0;
    endpoint with{link.device(), [](message) {}, on_bound{[&](address a) { bound.push_back(a); }},
                  on_unbound{[&](address a) { unbound.push_back(a); }}};
    endpoint without{link.device(), [](message) {}, on_bound{[&] { ++times_bound; }},
                     on_unbound{[&] { ++times_unbound; }}};
    endpoint out{link.driver()};
    REQUIRE(with.open(address{1}));
    REQUIRE(without.open(address{2}));
    REQUIRE(out.open(address{0x77}, towards{1}));
    link.run();
    REQUIRE(out.try_send({}));
    REQUIRE(out.try_send_to(address{2}, {}));
    link.run();
    CHECK(bound == std::vector{address{0x77}});
    CHECK(times_bound == 1);
    CHECK(unbound.empty());

    link.driver().stop();
    link.device().poll();
    CHECK(unbound == std::vector{address{0x77}});
    CHECK(times_unbound == 1);
    CHECK(bound.size() == 1);
    CHECK(times_bound == 1);
}

TEST_CASE("several functions for one thing are all called, in order", "[bus]")
{
    loopback<> link;
    std::vector<int> called;
    endpoint in{link.device(), [](message) {}, on_bound{[&] { called.push_back(1); }},
                on_bound{[&](address) { called.push_back(2); }}};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    REQUIRE(out.try_send({}));
    link.run();
    CHECK(called == std::vector{1, 2});
}

TEST_CASE("a typed endpoint has functions too", "[bus]")
{
    loopback<> link;
    int bound = 0;
    int heard = 0;
    endpoint in{link.device(), typed<std::uint32_t>, [&](const std::uint32_t&) { ++heard; },
                on_bound{[&] { ++bound; }}};
    endpoint out{link.driver(), typed<std::uint32_t>};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    REQUIRE(out.try_send(std::uint32_t{5}));
    link.run();
    CHECK(bound == 1);
    CHECK(heard == 1);
}

TEST_CASE("an endpoint follows its last sender only if it says so", "[bus][openamp-3.2]")
{
    loopback<> link;
    std::vector<address> bound;
    endpoint stays{link.device(), [](message) {}};
    endpoint follows{link.device(), [](message) {}, on_bound{[&](address a) { bound.push_back(a); }},
                     follow_last_sender{}};
    endpoint a{link.driver()};
    endpoint b{link.driver()};
    REQUIRE(stays.open(address{1}));
    REQUIRE(follows.open(address{2}));
    REQUIRE(a.open(address{0xA}, towards{1}));
    REQUIRE(b.open(address{0xB}, towards{1}));
    link.run();
    for (auto* sender : {&a, &b, &b, &a}) {
        REQUIRE(sender->try_send({}));
        REQUIRE(sender->try_send_to(address{2}, {}));
        link.run();
    }
    CHECK(stays.peer() == address{0xA});
    CHECK(follows.peer() == address{0xA});
    CHECK(bound == std::vector{address{0xA}, address{0xB}, address{0xA}});
}
