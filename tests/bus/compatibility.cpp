// What other implementations rely on, or get wrong: the rules R… of the reference that concern a whole bus.

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using policy::vring_id;

namespace {

struct board_of_4 : loopback_board {
    using ring = policy::ring_of<4>;
};
struct zephyr_board : loopback_board {
    using dialect = policy::zephyr_static_vrings;
};

void fill_with(std::span<std::byte> memory, std::uint8_t what)
{
    std::ranges::fill(memory, static_cast<std::byte>(what));
}
/// Every buffer of a link, as another implementation may leave it.
template <typename Link>
void fill_buffers(const Link& link, std::uint8_t what)
{
    const auto pool = link.pool();
    fill_with(pool.to_driver, what);
    fill_with(pool.to_device, what);
}

/// The message that `from` sent, wherever it lies; empty if there is none.
template <typename Link>
std::span<std::byte> sent_by(const Link& link, vring_id which, address from)
{
    for (std::uint16_t id = 0; id != Link::driver_type::board_type::ring::capacity; ++id) {
        const auto buffer = link.buffer(which, id);
        if (buffer.size() >= sizeof(wire::header) && wire::load<std::uint32_t>(buffer.data()) == from.value())
            return buffer;
    }
    return {};
}

/// An announcement as some peer might write it.
std::array<std::byte, 40> announcement_of(std::string_view channel, address endpoint, std::uint32_t flags)
{
    std::array<std::byte, 40> out{};
    std::memcpy(out.data(), channel.data(), channel.size());
    wire::store(out.data() + 32, endpoint.value());
    wire::store(out.data() + 36, flags);
    return out;
}

}  // namespace

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, struct rpmsg_hdr
TEMPLATE_TEST_CASE("reserved and flags are written as 0, whatever was in the buffer", "[bus][rule4][R5]",
                   as_driver, as_device)
{
    loopback<board_of_4> link;
    fill_buffers(link, 0xFF);
    endpoint out{TestType::here(link)};
    REQUIRE(out.open(address{30}, towards{20}));
    REQUIRE(link.run());

    SECTION("when it is copied") { CHECK(out.try_send(bytes("x"))); }
    SECTION("when it is written in place")
    {
        auto slot = out.try_acquire();
        fill_with(slot.payload(), 0xEE);
        CHECK(std::move(slot).send(1));
    }
    const auto message = sent_by(link, tx_ring(TestType::role), address{30});
    REQUIRE(message.size() >= 17);
    CHECK(wire::load<std::uint32_t>(message.data() + offsetof(wire::header, dst)) == 20);
    CHECK(wire::load<std::uint32_t>(message.data() + offsetof(wire::header, reserved)) == 0);
    CHECK(wire::load<std::uint16_t>(message.data() + offsetof(wire::header, len)) == 1);
    CHECK(wire::load<std::uint16_t>(message.data() + offsetof(wire::header, flags)) == 0);
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, struct rpmsg_hdr
TEMPLATE_TEST_CASE("what a peer leaves in reserved and flags is ignored", "[bus][R5]", as_driver, as_device)
{
    loopback<board_of_4> link;
    std::string heard;
    endpoint in{TestType::here(link), [&](std::span<const std::byte> p) { heard = text(p); }};
    endpoint out{TestType::there(link)};
    REQUIRE(in.open(address{20}));
    REQUIRE(out.open(address{30}, towards{20}));
    REQUIRE(link.run());
    CHECK(out.try_send(bytes("word")));
    const auto peers = TestType::role == virtio::role::driver ? tx_ring(virtio::role::device)
                                                              : tx_ring(virtio::role::driver);
    const auto message = sent_by(link, peers, address{30});
    REQUIRE_FALSE(message.empty());
    fill_with(message.subspan(offsetof(wire::header, reserved), 4), 0xA5);
    fill_with(message.subspan(offsetof(wire::header, flags), 2), 0xA5);
    REQUIRE(link.run());
    CHECK(heard == "word");
    CHECK(TestType::here(link).stats().total() == 0);
}

// @spec virtio 1.2, 2.3
TEMPLATE_TEST_CASE("any doorbell may mean either vring: one poll looks at both", "[bus][rule8][R10]",
                   as_driver, as_device)
{
    loopback<board_of_4> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    int heard = 0;
    int ready = 0;
    endpoint out{here, [&](message) { ++heard; }};
    endpoint peer{there, [](message) {}};
    observer watch{here, on_tx_ready{[&] { ++ready; }}};
    REQUIRE(watch.open());
    REQUIRE(out.open(address{30}, towards{20}));
    REQUIRE(peer.open(address{20}, towards{30}));
    REQUIRE(link.run());
    while (out.try_send(bytes("x"))) {}

    // The peer gives buffers back and sends; which of the two it rang for is not told to poll().
    there.poll();
    CHECK(peer.try_send(bytes("y")));
    CHECK(here.has_work());
    here.poll();
    CHECK(heard == 1);
    CHECK(ready == 1);
    CHECK(out.try_send(bytes("z")));
    CHECK_FALSE(here.has_work());
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_send_offchannel_raw()
TEMPLATE_TEST_CASE("sending before the peer is known is an error, and nothing is sent", "[bus][rule6][R12]",
                   as_driver, as_device)
{
    loopback<board_of_4> link;
    auto& here = TestType::here(link);
    endpoint out{here};
    REQUIRE(out.open(address{30}));
    REQUIRE(link.run());
    const auto ring = link.ring(tx_ring(TestType::role));
    const auto published = [&] {
        return TestType::role == virtio::role::driver ? ring.avail().idx : ring.used().idx;
    };
    const std::uint16_t before = published();

    CHECK(out.try_send(bytes("x")).error() == errc::not_bound);
    CHECK(out.send(bytes("x"), {}).error() == errc::not_bound);
    CHECK(out.try_send_to(any_address, bytes("x")).error() == errc::bad_address);
    auto slot = out.try_acquire();
    REQUIRE(slot);
    CHECK(std::move(slot).send(1).error() == errc::not_bound);
    slot.drop();

    CHECK(published() == before);
    CHECK(TestType::there(link).stats().total() == 0);
    CHECK(out.try_send_to(address{20}, {}));
}

TEMPLATE_TEST_CASE("messages without a byte are sent and received", "[bus][R14]", as_driver, as_device)
{
    loopback<board_of_4> link;
    int empty = 0;
    int answered = 0;
    endpoint in{TestType::here(link), [&](message m) {
                    empty += m.size() == 0 ? 1 : 0;
                    return m.payload();
                }};
    endpoint out{TestType::there(link), [&](std::span<const std::byte> p) { answered += p.empty() ? 1 : 0; }};
    REQUIRE(in.open(address{20}));
    REQUIRE(out.open(address{30}, towards{20}));
    REQUIRE(link.run());
    for (int i = 0; i != 6; ++i) {
        CHECK(out.try_send({}));
        REQUIRE(link.run());
    }
    CHECK(empty == 6);
    CHECK(answered == 6);

    SECTION("but are no value of a type")
    {
        endpoint typed_in{TestType::here(link), typed<std::uint32_t>, [&](const std::uint32_t&) { ++empty; }};
        REQUIRE(typed_in.open(address{21}));
        CHECK(out.try_send_to(address{21}, {}));
        REQUIRE(link.run());
        CHECK(empty == 6);
        CHECK(TestType::here(link).stats()[fault::wrong_size] == 1);
    }
}

// @spec Zephyr subsys/ipc/ipc_service/backends/ipc_rpmsg_static_vrings.c, bound_cb()
TEMPLATE_TEST_CASE("where an announcement is answered by an empty message, it is", "[bus][R14]", as_driver,
                   as_device)
{
    loopback<zephyr_board> link;
    std::vector<std::size_t> sizes;
    endpoint here{TestType::here(link), [&](message m) { sizes.push_back(m.size()); }};
    REQUIRE(here.open("channel"));
    REQUIRE(link.run());
    // The peer knows us by our announcement, we know it by its answer.
    endpoint there{TestType::there(link), [](message) {}};
    REQUIRE(there.open("channel", address{99}));
    REQUIRE(link.run());
    CHECK(here.peer() == address{99});
    CHECK(there.is_bound());
    CHECK(std::ranges::all_of(sizes, [](std::size_t n) { return n == 0; }));
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, virtio_rpmsg_announce_create()
// @spec Linux include/linux/rpmsg/ns.h, struct rpmsg_ns_msg
TEMPLATE_TEST_CASE("an announcement is 40 bytes, its name padded with zeros", "[bus][rule4][R15]", as_driver,
                   as_device)
{
    const std::string longest(31, 'n');
    const std::string channel = GENERATE_COPY(std::string{"c"}, longest);
    loopback<board_of_4> link;
    fill_buffers(link, 0xFF);
    auto& here = TestType::here(link);
    endpoint out{here};
    const auto made = name::from_static(channel.c_str());
    REQUIRE(made);
    REQUIRE(out.open(*made, address{30}));
    // Until it is sent, but not so long that the peer takes it.
    for (int i = 0; i != 10 && sent_by(link, tx_ring(TestType::role), address{30}).empty(); ++i) {
        here.poll();
        if (here.state() != link_state::up)
            TestType::there(link).poll();
    }
    const auto message = sent_by(link, tx_ring(TestType::role), address{30});
    REQUIRE(message.size() >= 56);
    CHECK(wire::load<std::uint32_t>(message.data() + offsetof(wire::header, dst)) == 53);
    CHECK(wire::load<std::uint16_t>(message.data() + offsetof(wire::header, len)) == 40);
    CHECK(std::ranges::equal(message.subspan(16, 40), announcement_of(channel, address{30}, 0)));
}

TEMPLATE_TEST_CASE("each time the link comes up everything is announced again", "[bus][R15]", as_driver,
                   as_device)
{
    loopback<board_of_4> link;
    auto& here = TestType::here(link);
    ear peer{TestType::there(link)};
    endpoint first{here};
    endpoint second{here};
    REQUIRE(first.open("first", address{30}));
    REQUIRE(second.open("second", address{31}));
    for (int lap = 0; lap != 3; ++lap) {
        REQUIRE(link.run());
        const auto heard = peer.take();
        CHECK(std::ranges::count(heard, "+first@30") == 1);
        CHECK(std::ranges::count(heard, "+second@31") == 1);
        here.stop();
        static_cast<void>(link.run());
        peer.take();
        here.start();
    }
}

// @spec Linux drivers/rpmsg/rpmsg_ns.c, rpmsg_ns_cb(); Linux include/linux/rpmsg/ns.h, enum rpmsg_ns_flags
TEMPLATE_TEST_CASE("announcements said twice, or with bits that nobody knows, are understood", "[bus][R15]",
                   as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    int bound = 0;
    int unbound = 0;
    endpoint in{here, [](message) {}, on_bound{[&] { ++bound; }}, on_unbound{[&] { ++unbound; }}};
    endpoint peer{TestType::there(link)};
    REQUIRE(in.open("channel"));
    REQUIRE(peer.open(address{60}, towards{53}));
    REQUIRE(link.run());
    const auto announce = [&](std::uint32_t flags) {
        CHECK(peer.try_send(announcement_of("channel", address{70}, flags)));
        REQUIRE(link.run());
    };
    SECTION("said twice: bound once")
    {
        announce(0);
        announce(0);
        CHECK(bound == 1);
        CHECK(unbound == 0);
    }
    SECTION("with other bits: bit 0 decides")
    {
        announce(0xFFFF'FFFE);
        CHECK(in.peer() == address{70});
        announce(0xFFFF'FFFF);
        CHECK_FALSE(in.is_bound());
        CHECK(bound == 1);
        CHECK(unbound == 1);
    }
    SECTION("withdrawn twice: unbound once")
    {
        announce(0);
        announce(1);
        announce(1);
        CHECK(unbound == 1);
    }
    CHECK(here.stats().total() == 0);
}
