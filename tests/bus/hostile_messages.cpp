// Every write of a hostile peer that is known to have broken OpenAMP, made to a link that is up, in both roles.
//
// Each test is named after the write, with the row of docs/hostile-writes.md in front. Afterwards either the link
// is usable with every buffer that both ends have, or it was lost, counted, and comes back with all of them.
// Here: buffers and messages.

#include "bus/fixture.hpp"
#include "bus/victim.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;

TEMPLATE_TEST_CASE("V4: a descriptor points out of the map", "[bus][hostile][V4]", as_driver, as_device)
{
    victim<TestType> v;
    const auto address = GENERATE(as<std::uint64_t>{}, 0, 1, 0x1000, 0x3ED0'0000 - 1, 0xFFFF'FFFF,
                                  0x1'3ED0'2000, 0x7FFF'FFFF'FFFF'FFFF, 0xFFFF'FFFF'FFFF'FFF8);
    SECTION("of a message: what follows is heard in the same poll, and no buffer is lost")
    {
        for (int lap = 0; lap != 6; ++lap) {
            v.peer_sends("1");
            v.peer_sends("2");
            v.peer_sends("3");
            auto& named = v.rx().descriptor_at(v.head(1));
            const auto good = std::exchange(named, wire::descriptor{});
            named = good;
            named.addr = address;
            CHECK(v.here().poll().handled == 3);
            named = good;  // that the driver's own side may go on
            CHECK(v.link.run());
        }
        if constexpr (v.is_driver) {
            CHECK(v.heard.size() == 18);  // a driver knows where its buffers are
            v.goes_on(fault::none, 0);
        } else {
            CHECK(v.heard.size() == 12);
            v.goes_on(fault::bad_buffer, 6);
        }
    }
    SECTION("of a buffer to send in")
    {
        for (std::uint16_t id = 0; id != v.count; ++id)
            v.tx().descriptor_at(id).addr = address;
        const auto sent = v.mine.try_send(bytes("x"));
        if constexpr (v.is_driver) {
            CHECK(sent);
            v.comes_back_after_reset();  // its peer has lost a link by that, which writes them anew
        } else {
            CHECK(sent.error() == errc::out_of_map);
            v.comes_back();
        }
    }
}

TEMPLATE_TEST_CASE("V4: a buffer ends out of the map", "[bus][hostile][V4]", as_driver, as_device)
{
    victim<TestType> v;
    const auto length = GENERATE(0x4000U, 0x8000'0000U, 0xFFFF'FFFFU);
    for (int lap = 0; lap != 6; ++lap) {
        v.peer_sends("1");
        auto& named = v.rx().descriptor_at(v.head());
        const auto good = named;
        if constexpr (v.is_driver)
            v.rx().used_at(v.slot(v.rx())).len = length;
        named.len = length;
        CHECK(v.here().poll().handled == 1);
        named = good;
    }
    CHECK(v.heard.empty());
    v.goes_on(fault::bad_buffer, 6);
}

TEMPLATE_TEST_CASE("V4: the buffer to answer in overlaps the message that is answered", "[bus][hostile][V4]",
                   as_driver, as_device)
{
    victim<TestType> v;
    endpoint echo{v.here(), [](message m) { return m.payload(); }};
    REQUIRE(echo.open(address{5}));
    const int shift = GENERATE(-8, -4, 4, 8, 16);
    CHECK(v.theirs.try_send_to(address{5}, bytes("0123456789abcdefghijklmnopqrstuvwxyz")));
    const auto message = v.rx().descriptor_at(v.head()).addr.get();
    for (std::uint16_t id = 0; id != v.count; ++id)
        v.tx().descriptor_at(id).addr = message + static_cast<std::uint64_t>(std::int64_t{shift});
    v.here().poll();
    CHECK(echo.close());
    CHECK(v.here().state() == link_state::up);
    CHECK(v.here().stats().total() == 0);
    if constexpr (!v.is_driver) {
        // It is moved, not copied, so the rest is whole; what its own header fell on is the driver's loss.
        const auto answer = v.link.bytes().data() + (message - 0x3ED0'0000) + shift + 16;
        const auto lost = static_cast<std::size_t>(shift > 0 ? shift : 0);
        CHECK(text({answer + lost, 36 - lost}) ==
              std::string{"0123456789abcdefghijklmnopqrstuvwxyz"}.substr(lost));
    }
    v.comes_back_after_reset();
}

TEMPLATE_TEST_CASE("V6: a buffer is too small for a header", "[bus][hostile][V6]", as_driver, as_device)
{
    victim<TestType> v;
    const auto length = GENERATE(0U, 1U, 8U, 15U);
    SECTION("that of a message")
    {
        for (int lap = 0; lap != 6; ++lap) {
            v.peer_sends("1");
            auto& named = v.rx().descriptor_at(v.head());
            const auto good = named;
            if constexpr (v.is_driver)
                v.rx().used_at(v.slot(v.rx())).len = length;
            named.len = length;
            CHECK(v.here().poll().handled == 1);
            named = good;
        }
        CHECK(v.heard.empty());
        v.goes_on(fault::bad_buffer, 6);
    }
    SECTION("that of one to send in: its room is no 4 GiB")
    {
        for (std::uint16_t id = 0; id != v.count; ++id)
            v.tx().descriptor_at(id).len = length;
        auto room = v.mine.try_acquire();
        if constexpr (v.is_driver) {
            REQUIRE(room);
            CHECK(room.payload().size() == 496);
            room.drop();
            v.comes_back_after_reset();
        } else {
            CHECK(room.error() == errc::out_of_map);
            v.comes_back();
        }
    }
}

TEMPLATE_TEST_CASE("V6: a buffer shrinks while its owner fills it", "[bus][hostile][V6][rule1]", as_driver,
                   as_device)
{
    victim<TestType> v;
    auto room = v.mine.try_acquire();
    REQUIRE(room);
    for (std::uint16_t id = 0; id != v.count; ++id)
        v.tx().descriptor_at(id).len = 17U;
    CHECK(room.payload().size() == 496);
    std::memset(room.payload().data(), 'x', room.payload().size());
    CHECK(std::move(room).send(496));
    CHECK(v.here().state() == link_state::up);
    v.comes_back_after_reset();
}

TEMPLATE_TEST_CASE("S4: a header claims more than its buffer holds", "[bus][hostile][S4]", as_driver,
                   as_device)
{
    victim<TestType> v;
    const auto length = GENERATE(as<std::uint16_t>{}, 497, 512, 0x7FFF, 0x8000, 0xFFFF);
    for (int lap = 0; lap != 6; ++lap) {
        v.peer_sends("1");
        v.header().len = length;
        CHECK(v.here().poll().handled == 1);
    }
    CHECK(v.heard.empty());
    v.goes_on(fault::bad_length, 6);
}

TEMPLATE_TEST_CASE("S4: a header claims what its buffer just holds", "[bus][hostile][S4]", as_driver,
                   as_device)
{
    victim<TestType> v;
    v.peer_sends("1");
    v.header().len = std::uint16_t{496};
    if constexpr (v.is_driver)
        v.rx().used_at(v.slot(v.rx())).len = 512U;
    CHECK(v.here().poll().handled == 1);
    REQUIRE(v.heard.size() == 1);
    CHECK(v.heard[0].size() == 496);
    v.goes_on(fault::none, 0);
}

TEMPLATE_TEST_CASE("S5: reserved, and all of a buffer, is written while it is held", "[bus][hostile][S5]",
                   as_driver, as_device)
{
    victim<TestType> v;
    std::vector<rx_buffer> held;
    endpoint keeper{v.here(), [&](rx_buffer in) { held.push_back(std::move(in)); }};
    REQUIRE(keeper.open(address{7}));
    for (int lap = 0; lap != 5; ++lap) {
        for (int i = 0; i != 3; ++i)
            CHECK(v.theirs.try_send_to(address{7}, bytes("keep")));
        v.here().poll();
        REQUIRE(held.size() == 3);
        const auto bad = GENERATE(as<unsigned char>{}, 0x00, 0x01, 0xFF);
        for (std::uint16_t id = 0; id != v.count; ++id) {
            const auto memory = v.link.buffer(v.rx_id, id);
            std::memset(memory.data(), bad, memory.size());
        }
        CHECK(held[0].payload().size() == 4);
        CHECK(held[0].source() == address{2});
        // A reverse order; each goes back once, with the length it had.
        while (!held.empty())
            held.pop_back();
        CHECK(v.link.run());
    }
    CHECK(keeper.close());
    v.goes_on(fault::none, 0);
}

TEMPLATE_TEST_CASE("S6: a buffer that was given back unsent is written", "[bus][hostile][S6]", as_driver,
                   as_device)
{
    victim<TestType> v;
    for (const int bad : {0x00, 0x5A, 0xFF}) {
        std::vector<decltype(v.mine.try_acquire())> held;
        for (int i = 0; i != 4; ++i)
            held.push_back(v.mine.try_acquire());
        held.clear();  // OpenAMP keeps a list in them now
        for (std::uint16_t id = 0; id != v.count; ++id) {
            const auto memory = v.link.buffer(v.tx_id, id);
            std::memset(memory.data(), bad, memory.size());
        }
        v.has_all_buffers();
    }
    v.goes_on(fault::none, 0);
}

TEMPLATE_TEST_CASE("S7: the peer keeps every buffer", "[bus][hostile][S7]", as_driver, as_device)
{
    victim<TestType> v;
    std::vector<rx_buffer> kept;
    endpoint hoard{v.there(), [&](rx_buffer in) { kept.push_back(std::move(in)); }};
    REQUIRE(hoard.open(address{9}));
    for (int i = 0; i != 4; ++i)
        CHECK(v.mine.try_send_to(address{9}, {}));
    CHECK(v.link.run());
    CHECK(kept.size() == 4);
    CHECK(v.mine.try_send({}).error() == errc::full);
    const auto before = manual_clock::now();
    CHECK(v.mine.send({}, 20ms).error() == errc::timed_out);
    CHECK(manual_clock::now() - before <= 25);
    CHECK(v.here().state() == link_state::up);
    v.peer_sends("still heard");
    CHECK(v.link.run());
    CHECK(v.heard == std::vector<std::string>{"still heard"});
    kept.clear();
    CHECK(hoard.close());
    v.goes_on(fault::none, 0);
}

TEMPLATE_TEST_CASE("S3: a message holds what its receiver does not expect", "[bus][hostile][S3]", as_driver,
                   as_device)
{
    victim<TestType> v;
    int called = 0;
    endpoint strict{v.here(), typed<std::uint32_t>, [&](const std::uint32_t&) { ++called; }};
    REQUIRE(strict.open(address{5}));
    std::uint32_t refused = 0;
    for (std::size_t size = 0; size <= 496; size += GENERATE(1U, 31U)) {
        const std::string noise(size, '\xEE');
        CHECK(v.theirs.try_send_to(address{5}, bytes(noise)));
        refused += size != 4 ? 1U : 0U;
        CHECK(v.link.run());
    }
    CHECK(called + static_cast<int>(refused) > 10);
    CHECK(v.here().stats()[fault::wrong_size] == refused);
    CHECK(strict.close());
    v.goes_on(fault::wrong_size, refused);
}

TEMPLATE_TEST_CASE("2.4: a message goes to nobody", "[bus][hostile][openamp-2.4]", as_driver, as_device)
{
    victim<TestType> v;
    const auto to = GENERATE(0U, 3U, 0x35U + 1U, 0x400U, 0x8000'0000U, 0xFFFF'FFFEU, 0xFFFF'FFFFU);
    for (int lap = 0; lap != 6; ++lap) {
        v.peer_sends("?");
        v.header().dst = to;
        CHECK(v.here().poll().handled == 1);
    }
    CHECK(v.heard.empty());
    v.goes_on(fault::unknown_destination, 6);
}

TEMPLATE_TEST_CASE("2.4: a message from nobody takes no peer from who follows its last sender",
                   "[bus][hostile][openamp-2.4]", as_driver, as_device)
{
    victim<TestType> v;
    int heard = 0;
    endpoint follows{v.here(), [&](message) { ++heard; }, follow_last_sender{}};
    REQUIRE(follows.open(address{6}));
    for (const auto from : {2U, 0xFFFF'FFFFU}) {
        v.peer_sends("x");
        v.header().dst = 6U;
        v.header().src = from;
        CHECK(v.link.run());
        CHECK(follows.peer() == address{2});
    }
    CHECK(heard == 2);
    v.goes_on(fault::none, 0);
}

TEMPLATE_TEST_CASE("2.4: a message comes from nobody, or from ourselves", "[bus][hostile][openamp-2.4][N4]",
                   as_driver, as_device)
{
    victim<TestType> v;
    std::vector<address> bound;
    endpoint fresh{v.here(), [](message m) { return m.payload(); },
                   on_bound{[&](address a) { bound.push_back(a); }}};
    REQUIRE(fresh.open(address{6}));
    v.peer_sends("who?");
    v.header().dst = 6U;
    SECTION("nobody: it binds nothing, and there is nobody to answer")
    {
        v.header().src = 0xFFFF'FFFFU;
        CHECK(v.link.run());
        CHECK(bound.empty());
        CHECK(v.here().stats()[fault::reply_dropped] == 1);
        CHECK(fresh.close());
        v.goes_on(fault::reply_dropped, 1);
    }
    SECTION("our own address: the answer goes over the link, and no further")
    {
        v.header().src = 6U;
        CHECK(v.link.run());
        CHECK(bound == std::vector{address{6}});
        CHECK(v.there().stats()[fault::unknown_destination] == 1);
        CHECK(fresh.close());
        v.goes_on(fault::none, 0);
    }
}
