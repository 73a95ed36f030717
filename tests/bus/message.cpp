// g++ 12 at -O2 believes that a buffer which was refused is written to.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif

#include <rpmsg/bus/message.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;

namespace {

struct board_of_4 : loopback_board {
    using ring = policy::ring_of<4>;
};

}  // namespace

static_assert(!std::is_copy_constructible_v<rx_buffer> && !std::is_copy_assignable_v<rx_buffer>);
static_assert(std::is_nothrow_move_constructible_v<rx_buffer> &&
              std::is_nothrow_move_assignable_v<rx_buffer>);
static_assert(!std::is_constructible_v<payload_view, std::span<const std::byte>>,
              "only a message makes a payload_view, so a reply does not dangle");
static_assert(std::is_convertible_v<payload_view, std::span<const std::byte>>);

TEMPLATE_TEST_CASE("a message says what was sent, by whom and to whom", "[bus]", as_driver, as_device)
{
    loopback<> link;
    int heard = 0;
    endpoint in{TestType::here(link), [&](message m) {
                    ++heard;
                    CHECK(text(m.payload()) == "hello");
                    CHECK(m.size() == 5);
                    CHECK(m.source() == address{0x77});
                    CHECK(m.destination() == address{0x55});
                    CHECK(link.holds(m.payload().data()));
                }};
    endpoint out{TestType::there(link)};
    REQUIRE(in.open(address{0x55}));
    REQUIRE(out.open(address{0x77}, towards{0x55}));
    link.run();
    REQUIRE(out.try_send(bytes("hello")));
    link.run();
    CHECK(heard == 1);
}

TEST_CASE("a payload view is cut to what there is", "[bus]")
{
    loopback<> link;
    int heard = 0;
    endpoint in{link.device(), [&](message m) {
                    ++heard;
                    const auto all = m.payload();
                    CHECK(text(all.first(4)) == "head");
                    CHECK(text(all.after(4)) == "tail");
                    CHECK(text(all.first(100)) == "headtail");
                    CHECK(all.after(100).empty());
                    CHECK(all.after(8).empty());
                    CHECK(all.first(0).empty());
                    CHECK(all[4] == std::byte{'t'});
                    CHECK(std::string(reinterpret_cast<const char*>(&*all.begin()), all.size()) ==
                          "headtail");
                    CHECK(all.end() - all.begin() == 8);
                    CHECK(all.data() == std::span<const std::byte>{all}.data());
                }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    REQUIRE(out.try_send(bytes("headtail")));
    link.run();
    CHECK(heard == 1);
}

TEMPLATE_TEST_CASE("taking the buffer by value holds it, its destructor gives it back", "[bus]", as_driver,
                   as_device)
{
    loopback<board_of_4> link;
    std::vector<rx_buffer> kept;
    endpoint in{TestType::here(link), [&](rx_buffer b) { kept.push_back(std::move(b)); }};
    endpoint out{TestType::there(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();

    for (const auto* what : {"a", "b", "c", "d"}) {
        REQUIRE(out.try_send(bytes(what)));
        link.run();
    }
    REQUIRE(kept.size() == 4);
    CHECK(out.try_send(bytes("e")).error() == errc::full);

    SECTION("what it holds stays as it was sent")
    {
        CHECK(text(kept[0].payload()) == "a");
        CHECK(text(kept[3].payload()) == "d");
        CHECK(kept[2].source() == address{2});
        CHECK(link.holds(kept[1].payload().data()));
    }
    SECTION("in any order, by destruction")
    {
        kept.erase(kept.begin() + 2);
        link.run();
        CHECK(out.try_send(bytes("e")));
        CHECK(out.try_send(bytes("f")).error() == errc::full);
        link.run();
        REQUIRE(kept.size() == 4);
        CHECK(text(kept[3].payload()) == "e");
        kept.clear();
        link.run();
        for (int i = 0; i != 4; ++i)
            CHECK(out.try_send(bytes("x")));
    }
    SECTION("or by release, and then only once")
    {
        kept[0].release();
        CHECK_FALSE(kept[0]);
        CHECK(kept[0].payload().empty());
        kept[0].release();
        link.run();
        CHECK(out.try_send(bytes("e")));
        CHECK(out.try_send(bytes("f")).error() == errc::full);
    }
    SECTION("or by being assigned to")
    {
        kept[0] = std::move(kept[1]);
        CHECK(text(kept[0].payload()) == "b");
        CHECK_FALSE(kept[1]);
        CHECK(kept[1].payload().empty());
        link.run();
        CHECK(out.try_send(bytes("e")));
        CHECK(out.try_send(bytes("f")).error() == errc::full);

        auto& same = kept[0];
        kept[0] = std::move(same);
        CHECK(text(kept[0].payload()) == "b");
    }
    SECTION("and the first that comes back wakes a peer that may be asleep for want of buffers")
    {
        const auto before = link.rang(TestType::role).total();
        // It asked for a doorbell when it found no buffer.
        kept.erase(kept.begin());
        CHECK(link.rang(TestType::role).total() == before + 1);
    }
}

TEMPLATE_TEST_CASE("a message's buffer can be held once", "[bus]", as_driver, as_device)
{
    loopback<> link;
    rx_buffer first;
    endpoint in{TestType::here(link), [&](message m) {
                    first = m.hold();
                    const auto second = m.hold();
                    CHECK_FALSE(second);
                    CHECK(second.payload().empty());
                }};
    endpoint out{TestType::there(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    REQUIRE(out.try_send(bytes("held")));
    link.run();
    REQUIRE(first);
    CHECK(text(first.payload()) == "held");
    first.release();
    for (int i = 0; i != 40; ++i) {
        CHECK(out.try_send(bytes("more")));
        link.run();
    }
}

TEST_CASE("a buffer held in a receiver and given back there goes back once", "[bus]")
{
    loopback<board_of_4> link;
    int heard = 0;
    endpoint in{link.device(), [&](message m) {
                    ++heard;
                    m.hold().release();
                }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    for (int i = 0; i != 20; ++i) {
        REQUIRE(out.try_send(bytes("x")));
        link.run();
    }
    CHECK(heard == 20);
    CHECK(link.driver().state() == link_state::up);
    CHECK(link.driver().stats().total() == 0);
}

TEST_CASE("a held payload is a T in place if it has its size and alignment", "[bus]")
{
    struct pair_of {
        std::uint32_t a;
        std::uint32_t b;
    };
    loopback<> link;
    rx_buffer held;
    endpoint in{link.device(), [&](rx_buffer b) { held = std::move(b); }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    const pair_of sent{1, 2};
    REQUIRE(out.try_send(std::as_bytes(std::span{&sent, 1})));
    link.run();

    const auto* const got = held.as<pair_of>();
    REQUIRE(got != nullptr);
    CHECK(got->b == 2);
    CHECK(static_cast<const void*>(got) == held.payload().data());
    CHECK(held.as<std::uint32_t>() == nullptr);
    CHECK(rx_buffer{}.as<std::uint32_t>() == nullptr);

    struct alignas(64) line {
        std::byte all[64];
    };
    const line full{};
    held.release();
    REQUIRE(out.try_send(std::as_bytes(std::span{&full, 1})));
    link.run();
    REQUIRE(held.payload().size() == sizeof(line));
    CHECK(held.as<line>() == nullptr);  // buffers begin at lines, and payloads 16 bytes behind that
}

TEMPLATE_TEST_CASE("a held buffer outlives its link and is harmless then", "[bus][rule3]", as_driver,
                   as_device)
{
    loopback<board_of_4> link;
    std::vector<rx_buffer> kept;
    endpoint in{TestType::here(link), [&](rx_buffer b) { kept.push_back(std::move(b)); }};
    endpoint out{TestType::there(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    for (int i = 0; i != 4; ++i)
        REQUIRE(out.try_send(bytes("x")));
    link.run();
    REQUIRE(kept.size() == 4);

    link.driver().stop();
    link.device().poll();
    link.driver().start();
    link.run();
    REQUIRE(link.device().state() == link_state::up);

    // All four are the new link's again; giving the old ones back must not give them back twice.
    const auto used = link.ring(tx_ring(as_driver::role)).used().idx.get();
    const auto posted = link.ring(tx_ring(as_device::role)).avail().idx.get();
    kept.clear();
    CHECK(link.ring(tx_ring(as_driver::role)).used().idx.get() == used);
    CHECK(link.ring(tx_ring(as_device::role)).avail().idx.get() == posted);
    for (int i = 0; i != 4; ++i) {
        REQUIRE(out.try_send(bytes("y")));
        link.run();
    }
    CHECK(kept.size() == 4);
    CHECK(out.try_send(bytes("y")).error() == errc::full);
    CHECK(link.driver().state() == link_state::up);
}

TEST_CASE("an empty rx_buffer holds nothing", "[bus]")
{
    rx_buffer none;
    CHECK_FALSE(none);
    CHECK(none.payload().empty());
    CHECK(none.source().is_any());
    none.release();
    const rx_buffer moved{std::move(none)};
    CHECK_FALSE(moved);
}
