// Every write of a hostile peer that is known to have broken OpenAMP, made to a link that is up, in both roles.
//
// Each test is named after the write, with the row of docs/hostile-writes.md in front. Afterwards either the link
// is usable with every buffer that both ends have, or it was lost, counted, and comes back with all of them.
// Here: the name service, the status and the resource table.

#include "bus/fixture.hpp"
#include "bus/victim.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;

namespace {

/// What lies in the shared memory behind the table.
std::vector<std::byte> behind_table(const loopback_memory& memory)
{
    const auto all = memory.bytes().subspan(sizeof(wire::rpmsg_table));
    return {all.begin(), all.end()};
}

}  // namespace

// Name service

TEMPLATE_TEST_CASE("N8: an announcement is rewritten while it is heard", "[bus][hostile][N8]", as_driver,
                   as_device)
{
    victim<TestType> v;
    std::string name;
    std::vector<address> bound;
    const auto rewrite = [&] {
        const auto memory = v.memory();
        std::memset(memory.data(), 0xEE, memory.size());
    };
    endpoint waits{v.here(), [](message) {}, on_bound{[&](address a) {
                       bound.push_back(a);
                       rewrite();
                   }}};
    observer watch{v.here(), on_announced{[&](const announcement& a) {
                       rewrite();
                       name = std::string{a.name()} + "@" + std::to_string(a.address().value());
                       CHECK(a.news() == channel_news::came);
                   }}};
    REQUIRE(waits.open("one"));
    REQUIRE(watch.open());
    endpoint one{v.there()};
    endpoint two{v.there()};
    REQUIRE(one.open("one", address{70}));
    CHECK(v.link.run());
    REQUIRE(two.open("two", address{71}));
    CHECK(v.link.run());
    CHECK(bound == std::vector{address{70}});
    CHECK(name == "two@71");
    CHECK(waits.peer() == address{70});
    CHECK(one.close());
    CHECK(two.close());
    CHECK(waits.close());
    v.goes_on(fault::none, 0);
}

// Status

TEMPLATE_TEST_CASE("1.8: any status is written while the link is up", "[bus][hostile][S11][openamp-1.8]",
                   as_driver, as_device)
{
    victim<TestType> v;
    std::uint32_t lost = 0;
    for (unsigned status = 0; status != 256; ++status) {
        v.peer_sends("in");
        CHECK(v.mine.try_send(bytes("out")));
        const auto epoch = v.here().epoch();
        v.link.table().vdev.status = static_cast<std::uint8_t>(status);
        v.here().poll();
        v.here().poll();
        const bool stays = v.is_driver ? status == 7 : (status & 0x44U) == 4;
        CHECK((v.here().epoch() == epoch) == stays);
        CHECK(v.link.run());
        CHECK(v.here().state() == link_state::up);
        CHECK(v.there().state() == link_state::up);
        lost += v.here().epoch() - epoch;
    }
    CHECK(lost >= 128);
    CHECK(v.here().stats().total() == 0);
    v.has_all_buffers();
}

TEMPLATE_TEST_CASE("S11: any status stands there before the start", "[bus][hostile][S11]", as_driver,
                   as_device)
{
    for (unsigned status = 0; status != 256; ++status) {
        loopback<board_of_4> link{{.align = 64}};
        auto& here = TestType::here(link);
        link.table().vdev.status = static_cast<std::uint8_t>(status);
        for (int i = 0; i != 3; ++i) {
            static_cast<void>(here.has_work());
            here.poll();
        }
        CHECK(link.run());
        CHECK(here.state() == link_state::up);
    }
}

// Table

TEMPLATE_TEST_CASE("1.10: any word of the table is written while the link is up",
                   "[bus][hostile][openamp-1.10]", as_driver, as_device)
{
    victim<TestType> v;
    const auto bad = GENERATE(0U, 1U, 3U, 0x1'0000U, 0x3ED0'0000U, 0x3ED0'0040U, 0x8000'0000U, 0xFFFF'FFFFU);
    const auto before = v.link.table();
    auto* const words = reinterpret_cast<wire::le32*>(&v.link.table());
    for (std::size_t i = 0; i != sizeof(wire::rpmsg_table) / 4; ++i) {
        v.peer_sends("in");
        CHECK(v.mine.try_send(bytes("out")));
        words[i] = bad;
        v.here().poll();
        for (int turn = 0; turn != 3; ++turn) {  // nobody does anything without end, or anywhere else
            v.here().poll();
            v.there().poll();
            static_cast<void>(v.here().has_work());
            static_cast<void>(v.mine.try_send({}));
        }
        v.link.table() = before;  // the firmware starts anew, and lays its table out
        v.link.driver().stop();
        v.link.driver().start();
        v.link.device().poll();  // its doorbell
        INFO("word " << i << " = " << bad);
        CHECK(v.link.run());
        REQUIRE(v.here().state() == link_state::up);
        v.has_all_buffers();
    }
    CHECK(v.here().stats()[fault::ring_broken] == 0);
}

TEMPLATE_TEST_CASE("1.10: any word of the table stands there before the start",
                   "[bus][hostile][openamp-1.10]", as_driver, as_device)
{
    const auto bad = GENERATE(0U, 1U, 3U, 0x1'0000U, 0x3ED0'0000U, 0x3ED0'0040U, 0x8000'0000U, 0xFFFF'FFFFU);
    for (std::size_t i = 0; i != sizeof(wire::rpmsg_table) / 4; ++i) {
        loopback<board_of_4> link{{.align = 64}};
        const auto good = link.table();
        reinterpret_cast<wire::le32*>(&link.table())[i] = bad;
        for (int turn = 0; turn != 5; ++turn) {
            link.driver().poll();
            link.device().poll();
        }
        auto& here = TestType::here(link);
        CHECK(here.stats().total() <= 1);  // refused, if at all, and once
        link.table() = good;
        link.driver().stop();
        link.driver().start();
        link.device().poll();  // its doorbell
        INFO("word " << i << " = " << bad);
        CHECK(link.run());
        CHECK(here.state() == link_state::up);
    }
}

// Before and after

TEMPLATE_TEST_CASE("S8: a doorbell comes before anything is laid out", "[bus][hostile][S8]", as_driver,
                   as_device)
{
    loopback<board_of_4> link{{.align = 64}};
    auto& here = TestType::here(link);
    const auto table = link.table();
    const auto memory = behind_table(link);
    const auto fill = GENERATE(as<unsigned char>{}, 0x00, 0x04, 0x07, 0xFF);
    std::memset(&link.table(), fill, sizeof(wire::rpmsg_table));
    endpoint early{here, [](message) {}};
    REQUIRE(early.open("early"));
    for (int i = 0; i != 5; ++i) {
        here.poll();
        static_cast<void>(here.has_work());
        CHECK(early.try_send({}).error() == errc::link_down);
    }
    CHECK(here.state() == link_state::negotiating);
    CHECK(behind_table(link) == memory);  // no ring was touched
    link.table() = table;
    CHECK(link.run());
    CHECK(here.state() == link_state::up);
}

TEMPLATE_TEST_CASE("S9: a doorbell comes after the end", "[bus][hostile][S9]", as_driver, as_device)
{
    victim<TestType> v;
    v.peer_sends("too late");
    v.here().stop();
    CHECK(v.here().state() == link_state::down);
    const auto table = v.link.table();
    const auto fill = GENERATE(as<unsigned char>{}, 0x00, 0x07, 0xFF);
    std::ranges::fill(v.link.bytes(), std::byte{fill});
    for (int i = 0; i != 5; ++i) {
        v.here().poll();
        CHECK_FALSE(v.here().has_work());
        CHECK(v.mine.try_send({}).error() == errc::link_down);
    }
    CHECK(std::ranges::all_of(v.link.bytes(), [&](std::byte b) { return b == std::byte{fill}; }));
    CHECK(v.heard.empty());
    v.link.table() = table;
    v.here().start();
    static_cast<void>(v.link.run(20));  // with rings that hold nothing of a driver it may wait for one
    v.comes_back_after_reset();
}
