#include <rpmsg/bus/tx_buffer.hpp>

#include "bus/fixture.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
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

struct sample {
    std::uint32_t when;
    std::array<std::int16_t, 2> axis;
};

void fill(std::span<std::byte> where, std::string_view what)
{
    std::memcpy(where.data(), what.data(), what.size());
}

}  // namespace

TEMPLATE_TEST_CASE("what is written into a tx_buffer lies in shared memory and is not copied",
                   "[bus][nocopy]", as_driver, as_device)
{
    loopback<> link;
    const void* received_at = nullptr;
    std::string heard;
    endpoint in{TestType::there(link), [&](std::span<const std::byte> p) {
                    received_at = p.data();
                    heard = text(p);
                }};
    endpoint out{TestType::here(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();

    auto slot = out.try_acquire();
    REQUIRE(slot);
    CHECK(slot.error() == errc{});
    REQUIRE(slot.payload().size() == TestType::here(link).max_payload());
    REQUIRE(link.holds(slot.payload().data()));
    const void* const written_at = slot.payload().data();

    const auto before = hex(link.bytes());
    fill(slot.payload(), "in place");
    // The very bytes that the peer will read, before anything is sent; and nothing else has changed.
    const auto after = hex(link.bytes());
    const auto offset = 2 * static_cast<std::size_t>(slot.payload().data() - link.bytes().data());
    CHECK(after.substr(offset, 16) == hex(bytes("in place")));
    CHECK(after.substr(0, offset) == before.substr(0, offset));
    CHECK(after.substr(offset + 16) == before.substr(offset + 16));

    REQUIRE(std::move(slot).send(8));
    link.run();
    CHECK(heard == "in place");
    CHECK(received_at == written_at);
}

TEMPLATE_TEST_CASE("a tx_buffer is consumed by its send", "[bus][openamp-2.4]", as_driver, as_device)
{
    loopback<> link;
    int heard = 0;
    endpoint in{TestType::there(link), [&](std::span<const std::byte>) { ++heard; }};
    endpoint out{TestType::here(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();

    auto slot = out.try_acquire();
    REQUIRE(std::move(slot).send(1));
    CHECK_FALSE(slot);
    CHECK(slot.payload().empty());
    CHECK(std::move(slot).send(1).error() == errc::stale);
    slot.drop();
    link.run();
    CHECK(heard == 1);
}

TEST_CASE("an empty tx_buffer says why", "[bus][openamp-2.4]")
{
    loopback<board_of_4> link;
    endpoint out{link.device()};
    using buffer = decltype(out)::buffer;

    SECTION("it was never filled")
    {
        buffer none;
        CHECK_FALSE(none);
        CHECK(none.error() == errc::stale);
        CHECK(none.payload().empty());
        CHECK(std::move(none).send(0).error() == errc::stale);
    }
    SECTION("the endpoint is closed") { CHECK(out.try_acquire().error() == errc::closed); }
    SECTION("there is no link")
    {
        REQUIRE(out.open(address{2}, towards{1}));
        CHECK(out.try_acquire().error() == errc::link_down);
    }
    SECTION("every buffer is with the peer")
    {
        REQUIRE(out.open(address{2}, towards{1}));
        link.run();
        for (int i = 0; i != 4; ++i)
            REQUIRE(out.try_send(bytes("x")));
        CHECK(out.try_acquire().error() == errc::full);
    }
    SECTION("it was moved from")
    {
        REQUIRE(out.open(address{2}, towards{1}));
        link.run();
        auto slot = out.try_acquire();
        const auto taken = std::move(slot);
        CHECK(slot.error() == errc::stale);
        CHECK(taken);
    }
}

TEST_CASE("a send that fails leaves the tx_buffer as it was", "[bus][openamp-2.4][rule6]")
{
    loopback<> link;
    std::string heard;
    endpoint in{link.driver(), [&](std::span<const std::byte> p) { heard = text(p); }};
    endpoint out{link.device()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}));
    link.run();
    auto slot = out.try_acquire();
    REQUIRE(slot);
    fill(slot.payload(), "still here");
    const auto before = hex(link.bytes());

    SECTION("because nobody is bound") { CHECK(std::move(slot).send(10).error() == errc::not_bound); }
    SECTION("because the destination is nobody")
    {
        CHECK(std::move(slot).send_to(any_address, 10).error() == errc::bad_address);
        CHECK(std::move(slot).send_from(address{9}, any_address, 10).error() == errc::bad_address);
    }
    SECTION("because the source is nobody")
    {
        CHECK(std::move(slot).send_from(any_address, address{1}, 10).error() == errc::bad_address);
    }
    SECTION("because the payload is longer than the buffer")
    {
        CHECK(std::move(slot).send_to(address{1}, slot.payload().size() + 1).error() == errc::too_long);
        CHECK(std::move(slot).send_to(address{1}, 70'000).error() == errc::too_long);
        CHECK(std::move(slot).send_to(address{1}, ~std::size_t{0}).error() == errc::too_long);
    }
    CHECK(hex(link.bytes()) == before);
    REQUIRE(slot);
    REQUIRE(std::move(slot).send_to(address{1}, 10));
    link.run();
    CHECK(heard == "still here");
}

TEMPLATE_TEST_CASE("a tx_buffer goes to the peer, to another or in another's name", "[bus]", as_driver,
                   as_device)
{
    loopback<> link;
    address from;
    address to;
    std::size_t length = 99;
    const auto hear = [&](message m) {
        from = m.source();
        to = m.destination();
        length = m.size();
    };
    endpoint first{TestType::there(link), hear};
    endpoint second{TestType::there(link), hear};
    endpoint out{TestType::here(link)};
    REQUIRE(first.open(address{1}));
    REQUIRE(second.open(address{2}));
    REQUIRE(out.open(address{7}, towards{1}));
    link.run();

    REQUIRE(out.try_acquire().send(4));
    link.run();
    CHECK((from == address{7} && to == address{1} && length == 4));

    REQUIRE(out.try_acquire().send_to(address{2}, 0));
    link.run();
    CHECK((from == address{7} && to == address{2} && length == 0));

    REQUIRE(out.try_acquire().send_from(address{0x500}, address{2}, out.try_acquire().payload().size()));
    link.run();
    CHECK((from == address{0x500} && to == address{2} && length == TestType::here(link).max_payload()));
}

TEMPLATE_TEST_CASE("a tx_buffer that is not sent is not lost", "[bus]", as_driver, as_device)
{
    loopback<board_of_4> link;
    endpoint out{TestType::here(link)};
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();

    SECTION("but given back by its destructor")
    {
        for (int i = 0; i != 100; ++i)
            CHECK(out.try_acquire());
    }
    SECTION("or by drop, once")
    {
        auto slot = out.try_acquire();
        slot.drop();
        CHECK_FALSE(slot);
        slot.drop();
    }
    SECTION("or by being assigned to")
    {
        auto slot = out.try_acquire();
        for (int i = 0; i != 100; ++i)
            slot = out.try_acquire();
        CHECK(slot);
        auto& same = slot;
        slot = std::move(same);
        CHECK(slot);
    }
    std::vector<decltype(out.try_acquire())> all;
    for (int i = 0; i != 4; ++i) {
        all.push_back(out.try_acquire());
        CHECK(all.back());
    }
    CHECK(out.try_acquire().error() == errc::full);
    for (auto& slot : all)
        CHECK(std::move(slot).send(1));
    CHECK(out.try_acquire().error() == errc::full);
}

TEST_CASE("buffers go in the order of sending, not of taking", "[bus][openamp-2.4]")
{
    loopback<> link;
    std::string heard;
    endpoint in{link.driver(), [&](std::span<const std::byte> p) { heard += text(p); }};
    endpoint out{link.device()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();

    auto first = out.try_acquire();
    auto second = out.try_acquire();
    fill(first.payload(), "1");
    fill(second.payload(), "2");
    REQUIRE(std::move(second).send(1));
    REQUIRE(out.try_send(bytes("3")));
    REQUIRE(std::move(first).send(1));
    link.run();
    CHECK(heard == "231");
}

TEMPLATE_TEST_CASE("an acquired T is zeroed, and sent as it lies there", "[bus][nocopy]", as_driver,
                   as_device)
{
    loopback<> link;
    const sample* got = nullptr;
    const void* got_at = nullptr;
    sample copy{};
    endpoint in{TestType::there(link), typed<sample>, [&](in_place<const sample&> s) {
                    got = &*s;
                    got_at = &s->when;
                    copy = *s;
                }};
    endpoint out{TestType::here(link), typed<sample>};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    // What was there before is another's.
    for (std::size_t id = 0; id != 16; ++id)
        std::ranges::fill(link.buffer(tx_ring(TestType::role), static_cast<std::uint16_t>(id)),
                          std::byte{0xA5});

    auto slot = out.try_acquire();
    REQUIRE(slot);
    CHECK(hex_of(*slot) == "0000000000000000");
    CHECK(link.holds(&*slot));
    slot->when = 7;
    slot->axis = {1, -2};
    const sample* const written = &*slot;
    REQUIRE(std::move(slot).send());
    link.run();
    CHECK(got == written);
    CHECK(got_at == written);
    CHECK(copy.when == 7);
    CHECK(copy.axis[1] == -2);

    SECTION("to another, or in another's name")
    {
        endpoint other{TestType::there(link), typed<sample>,
                       [&](const sample& s, address from) { copy = {from.value(), s.axis}; }};
        REQUIRE(other.open(address{3}));
        REQUIRE(out.try_acquire().send_to(address{3}));
        link.run();
        CHECK(copy.when == 2);
        CHECK(copy.axis[0] == 0);
        REQUIRE(out.try_acquire().send_from(address{77}, address{3}));
        link.run();
        CHECK(copy.when == 77);
    }
}

TEST_CASE("a T that does not fit its buffer is not acquired", "[bus]")
{
    struct large {
        std::array<std::uint32_t, 16> all;
    };
    SECTION("because it is too long")
    {
        loopback<> link{{.to_driver_size = 64}};
        endpoint out{link.device(), typed<large>};
        REQUIRE(out.open(address{2}, towards{1}));
        link.run();
        CHECK(out.try_acquire().error() == errc::too_long);
    }
    SECTION("because this one buffer is shorter than the first")
    {
        loopback<> link{{.to_driver_size = 128}};
        endpoint out{link.device(), typed<large>};
        REQUIRE(out.open(address{2}, towards{1}));
        link.driver().poll();
        link.ring(policy::vring_id::to_driver).descriptor_at(1).len = 64U;
        link.run();
        std::vector<decltype(out.try_acquire())> all;
        int too_long = 0;
        int good = 0;
        for (int i = 0; i != 16; ++i) {
            all.push_back(out.try_acquire());
            (all.back() ? good : too_long) += 1;
            if (!all.back())
                CHECK(all.back().error() == errc::too_long);
        }
        CHECK(good >= 1);
        CHECK(too_long >= 1);
    }
    SECTION("because the peer's buffers are not aligned for it")
    {
        loopback<> link{{.to_driver_size = 70}};
        endpoint out{link.device(), typed<large>};
        REQUIRE(out.open(address{2}, towards{1}));
        link.run();
        CHECK(out.try_acquire().error() == errc::too_long);
        endpoint small{link.device(), typed<std::uint32_t>};
        REQUIRE(small.open(address{3}, towards{1}));
        int misaligned = 0;
        std::vector<decltype(small.try_acquire())> all;
        for (int i = 0; i != 8; ++i) {
            all.push_back(small.try_acquire());
            misaligned += all.back().error() == errc::misaligned ? 1 : 0;
        }
        CHECK(misaligned != 0);
    }
}

TEMPLATE_TEST_CASE("a tx_buffer of a link that is gone is stale and harmless", "[bus][rule3]", as_driver,
                   as_device)
{
    loopback<board_of_4> link;
    std::string heard;
    endpoint in{TestType::there(link), [&](std::span<const std::byte> p) { heard += text(p); }};
    endpoint out{TestType::here(link)};
    endpoint other{TestType::here(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{99}));
    REQUIRE(other.open(address{3}, towards{1}));
    link.run();
    auto old = out.try_acquire();
    REQUIRE(old);

    link.driver().stop();
    link.device().poll();
    CHECK(std::move(old).send(3).error() == errc::stale);
    link.driver().start();
    link.run();

    // By now its memory is the new link's: another message lies there.
    for (const auto* what : {"a", "b", "c", "d"})
        REQUIRE(other.try_send(bytes(what)));
    CHECK(std::move(old).send(3).error() == errc::stale);
    old.drop();
    CHECK(other.try_send(bytes("e")).error() == errc::full);
    link.run();
    CHECK(heard == "abcd");
    CHECK(TestType::there(link).stats().total() == 0);
}

TEST_CASE("a tx_buffer can be sent after its endpoint is closed", "[bus]")
{
    loopback<> link;
    std::string heard;
    endpoint in{link.driver(), [&](std::span<const std::byte> p) { heard = text(p); }};
    endpoint out{link.device()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    auto slot = out.try_acquire();
    fill(slot.payload(), "late");
    REQUIRE(out.close());
    CHECK(std::move(slot).send(4));
    link.run();
    CHECK(heard == "late");
}

// Sending is only for what is given away.
template <typename Buffer>
concept sends_without_move =
    requires(Buffer& b) { b.send(std::size_t{}); } || requires(Buffer& b) { b.send(); };
using bytes_endpoint = decltype(endpoint{std::declval<device_bus<loopback_board>&>()});
using typed_endpoint = decltype(endpoint{std::declval<device_bus<loopback_board>&>(), typed<sample>});
static_assert(!sends_without_move<bytes_endpoint::buffer> && !sends_without_move<typed_endpoint::buffer>);
static_assert(!std::is_copy_constructible_v<bytes_endpoint::buffer>);
static_assert(std::is_nothrow_move_constructible_v<bytes_endpoint::buffer>);
