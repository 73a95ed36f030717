#include <rpmsg/bus/receiving.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <rpmsg/testing/recording_board.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;
using policy::vring_id;

namespace {

template <std::uint16_t Buffers>
struct board_of : loopback_board {
    using ring = policy::ring_of<Buffers>;
};
struct polled_board : loopback_board {
    static constexpr auto inbound = policy::inbound::polled;
};
struct quiet_board : loopback_board {
    static constexpr auto inbound = policy::inbound::quiet_while_draining;
};
struct events_board : loopback_board {
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};
struct quiet_events_board : events_board {
    static constexpr auto inbound = policy::inbound::quiet_while_draining;
};

/// The ring in which an end receives.
constexpr vring_id rx_ring(virtio::role role)
{
    return tx_ring(role == virtio::role::driver ? virtio::role::device : virtio::role::driver);
}

/// Changes the header of the message that was published last towards `role`.
template <typename Link>
wire::header& last_header(Link& link, virtio::role role)
{
    const auto ring = link.ring(rx_ring(role));
    const auto count = link.table().vdev.vring[static_cast<std::size_t>(rx_ring(role))].num.get();
    std::uint32_t id = 0;
    if (role == virtio::role::device)
        id = ring.avail_at(static_cast<std::uint16_t>((ring.avail().idx.get() - 1U) % count)).get();
    else
        id = ring.used_at(static_cast<std::uint16_t>((ring.used().idx.get() - 1U) % count)).id.get();
    return *reinterpret_cast<wire::header*>(
        link.buffer(rx_ring(role), static_cast<std::uint16_t>(id)).data());
}

/// How many buffers an end has given back.
template <typename Link>
std::uint16_t given_back(Link& link, virtio::role by)
{
    const auto ring = link.ring(rx_ring(by));
    return by == virtio::role::driver ? ring.avail().idx.get() : ring.used().idx.get();
}

/// An end that answers what the other asks, and asks again in its receiver as soon as it is answered.
template <typename Bus>
struct asking_end {
    static constexpr int wanted = 50;
    static constexpr auto echo_back = [](message m) { return m.payload(); };
    using basic = typename Bus::basic;

    explicit asking_end(Bus& bus)
        : asks{bus, [this](const message&) { ++answered, ++owed, ask(); }},
          echo{bus, echo_back},
          ready{bus, {std::function<void()>{[this] { ask(); }}}}
    {
        CHECK(asks.open(address{2}, towards{1}));
        CHECK(echo.open(address{1}));
        CHECK(ready.open());
    }
    void ask()
    {
        for (; owed != 0 && asked != wanted; --owed) {
            if (!asks.try_send(bytes("?")))
                return;
            ++asked;
        }
    }

    int asked = 0;
    int answered = 0;
    int owed = 0;  // questions for which there was no buffer
    endpoint<basic, void, std::function<void(message)>> asks;
    endpoint<basic, void, decltype(echo_back)> echo;
    observer<basic, on_tx_ready<std::function<void()>>> ready;
};

}  // namespace

// Replies

TEMPLATE_TEST_CASE("a receiver's result goes to the sender, whoever its endpoint is bound to",
                   "[bus][replies]", as_driver, as_device)
{
    loopback<> link;
    std::string heard;
    endpoint echo{TestType::here(link), [](message m) { return m.payload(); }};
    endpoint a{TestType::there(link), [&](std::span<const std::byte> p) { heard += "a:" + text(p) + ";"; }};
    endpoint b{TestType::there(link), [&](std::span<const std::byte> p, address from) {
                   CHECK(from == address{1});
                   heard += "b:" + text(p) + ";";
               }};
    REQUIRE(echo.open(address{1}));
    REQUIRE(a.open(address{0xA}, towards{1}));
    REQUIRE(b.open(address{0xB}, towards{1}));
    link.run();
    REQUIRE(a.try_send(bytes("1")));
    REQUIRE(b.try_send(bytes("2")));
    REQUIRE(b.try_send(bytes("3")));
    REQUIRE(a.try_send(bytes("4")));
    link.run();
    CHECK(echo.peer() == address{0xA});
    CHECK(heard == "a:1;b:2;b:3;a:4;");
}

TEMPLATE_TEST_CASE("a receiver with a result is entered only with a buffer in hand", "[bus][replies]",
                   as_driver, as_device)
{
    loopback<board_of<4>> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    std::string entered;
    std::string answers;
    endpoint out{here};
    endpoint in{here, [&](message m) { entered += "[" + text(m.payload()) + "]"; }};
    endpoint asks{there, [&](std::span<const std::byte> p) { answers += text(p); }};
    REQUIRE(out.open(address{1}, towards{99}));
    REQUIRE(in.open(address{2}));
    REQUIRE(asks.open(address{4}, towards{3}));
    link.run();
    while (out.try_send({})) {}
    // All buffers are with the peer, and only now there is somebody who answers.
    endpoint echo{here, [&](message m) {
                      entered += text(m.payload());
                      return m.payload();
                  }};
    REQUIRE(echo.open(address{3}));
    REQUIRE(asks.try_send(bytes("1")));
    REQUIRE(asks.try_send_to(address{2}, bytes("x")));
    REQUIRE(asks.try_send(bytes("2")));

    const auto before = given_back(link, TestType::role);
    auto done = here.poll();
    CHECK(done.handled == 0);
    CHECK_FALSE(done.more);
    CHECK(entered.empty());
    CHECK(given_back(link, TestType::role) == before);  // its message is still in the ring
    CHECK_FALSE(here.has_work());

    SECTION("draining goes on when a buffer returns, in order, and the peer rings for that")
    {
        const auto peer =
            TestType::role == virtio::role::driver ? virtio::role::device : virtio::role::driver;
        const auto rung = link.rang(peer).total();
        there.poll();
        CHECK(link.rang(peer).total() > rung);
        CHECK(here.has_work());
        done = here.poll();
        CHECK(done.handled == 3);
        CHECK(entered == "1[x]2");
        link.run();
        CHECK(answers == "12");
    }
    SECTION("and stops again when they run out")
    {
        there.poll(1);  // one comes back
        done = here.poll();
        CHECK(done.handled == 2);
        CHECK(entered == "1[x]");
        link.run();
        CHECK(entered == "1[x]2");
        CHECK(answers == "12");
    }
    SECTION("or its endpoint is closed: then nobody is to answer")
    {
        REQUIRE(echo.close());
        link.run();
        CHECK(entered == "[x]");
        CHECK(here.stats()[fault::unknown_destination] == 2);
    }
    SECTION("or the link is lost")
    {
        link.driver().stop();
        link.device().poll();
        link.driver().start();
        link.run();
        CHECK(here.state() == link_state::up);
        CHECK(entered.empty());
        REQUIRE(asks.try_send(bytes("3")));
        link.run();
        CHECK(answers == "3");
    }
}

TEMPLATE_TEST_CASE_SIG("two ends that send inside their receivers with all buffers in use go on",
                       "[bus][replies][openamp-2.4]", ((int Buffers), Buffers), 2, 4, 16)
{
    loopback<board_of<static_cast<std::uint16_t>(Buffers)>> link;
    asking_end driver{link.driver()};
    asking_end device{link.device()};
    link.run();

    driver.owed = device.owed = Buffers;
    driver.ask();
    device.ask();
    CHECK(driver.asks.try_send({}).error() == errc::full);
    CHECK(device.asks.try_send({}).error() == errc::full);
    CHECK(link.run());
    CHECK(driver.answered == driver.wanted);
    CHECK(device.answered == device.wanted);
}

TEST_CASE("a reply that is too long is dropped, counted and told", "[bus][replies][rule6]")
{
    loopback<board_of<4>> link{{.to_driver_size = 64, .to_device_size = 512}};
    int told = 0;
    std::string heard;
    observer watch{link.device(), on_error{[&](fault f) { told += f == fault::reply_dropped ? 1 : 0; }}};
    endpoint echo{link.device(), [](message m) { return m.payload(); }};
    endpoint asks{link.driver(),
                  [&](std::span<const std::byte> p) { heard += std::to_string(p.size()) + " "; }};
    REQUIRE(watch.open());
    REQUIRE(echo.open(address{1}));
    REQUIRE(asks.open(address{2}, towards{1}));
    link.run();
    for (int i = 0; i != 20; ++i) {
        REQUIRE(asks.try_send(bytes(std::string(49, 'x'))));
        link.run();
    }
    CHECK(link.device().stats()[fault::reply_dropped] == 20);
    CHECK(told == 20);
    CHECK(heard.empty());
    REQUIRE(asks.try_send(bytes(std::string(48, 'x'))));
    link.run();
    CHECK(heard == "48 ");
}

TEMPLATE_TEST_CASE("a reply to nobody is dropped and counted", "[bus][replies][rule3]", as_driver, as_device)
{
    loopback<board_of<4>> link;
    int entered = 0;
    endpoint echo{TestType::here(link), [&](message m) { return ++entered, m.payload(); }};
    endpoint asks{TestType::there(link)};
    REQUIRE(echo.open(address{1}));
    REQUIRE(asks.open(address{2}, towards{1}));
    link.run();
    for (int i = 0; i != 20; ++i) {
        REQUIRE(asks.try_send(bytes("?")));
        last_header(link, TestType::role).src = wire::any_address;
        link.run();
    }
    CHECK(entered == 20);
    CHECK(TestType::here(link).stats()[fault::reply_dropped] == 20);
    CHECK(echo.peer().is_any());
    CHECK(TestType::there(link).stats().total() == 0);
}

TEMPLATE_TEST_CASE("several replies ring once a batch", "[bus][replies][rule10]", as_driver, as_device)
{
    loopback<> link;
    int answers = 0;
    endpoint echo{TestType::here(link), [](message m) { return m.payload(); }};
    endpoint asks{TestType::there(link), [&](message) { ++answers; }};
    REQUIRE(echo.open(address{1}));
    REQUIRE(asks.open(address{2}, towards{1}));
    link.run();
    for (int i = 0; i != 10; ++i)
        REQUIRE(asks.try_send(bytes("?")));
    const auto before = link.rang(TestType::role).total();
    CHECK(TestType::here(link).poll().handled == 10);
    CHECK(link.rang(TestType::role).total() == before + 1);
    link.run();
    CHECK(answers == 10);
}

TEMPLATE_TEST_CASE("what a receiver does on its way does not cost it its reply", "[bus][replies]", as_driver,
                   as_device)
{
    loopback<board_of<4>> link;
    auto& here = TestType::here(link);
    endpoint out{here};
    endpoint named{here};
    endpoint known{here};
    std::function<void()> on_the_way = [] {};
    endpoint echo{here, [&](message m) { return on_the_way(), m.payload(); }};
    std::string heard;
    endpoint asks{TestType::there(link), [&](std::span<const std::byte> p) { heard += text(p); }};
    REQUIRE(out.open(address{1}, towards{99}));
    REQUIRE(echo.open(address{3}));
    REQUIRE(asks.open(address{4}, towards{3}));
    REQUIRE(known.open("known"));
    link.run();
    REQUIRE(asks.try_send(bytes("!")));

    SECTION("sending whatever it can")
    {
        on_the_way = [&] {
            int sent = 0;
            while (out.try_send({}))
                ++sent;
            CHECK(sent == 3);  // all but the one in hand
        };
    }
    SECTION("taking and dropping buffers")
    {
        on_the_way = [&] {
            for (int i = 0; i != 10; ++i)
                CHECK(out.try_acquire());
        };
    }
    SECTION("opening an endpoint that is to be announced, with one buffer left")
    {
        while (out.try_send({})) {}
        on_the_way = [&] { CHECK(named.open("named")); };
    }
    SECTION("closing one that is to be withdrawn, with one buffer left")
    {
        while (out.try_send({})) {}
        on_the_way = [&] { CHECK(known.close()); };
    }
    here.poll();
    TestType::there(link).poll();
    CHECK(heard == "!");
    CHECK(here.stats()[fault::reply_dropped] == 0);
    link.run();
    CHECK(here.stats().total() == 0);
}

TEMPLATE_TEST_CASE("a receiver that closes or destroys its own endpoint still answers", "[bus][replies]",
                   as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    using receiver = std::function<std::array<char, 2>(const message&)>;
    std::optional<endpoint<typename std::remove_cvref_t<decltype(here)>::basic, void, receiver>> echo;
    std::string heard;
    endpoint asks{TestType::there(link), [&](std::span<const std::byte> p) { heard += text(p); }};
    REQUIRE(asks.open(address{2}, towards{1}));
    bool destroys = false;

    SECTION("close") {}
    SECTION("destroy") { destroys = true; }
    echo.emplace(here, receiver{[&](const message&) {
                     if (destroys)
                         echo.reset();
                     else
                         CHECK(echo->close());
                     return std::array<char, 2>{'o', 'k'};
                 }});
    REQUIRE(echo->open(address{1}));
    link.run();
    REQUIRE(asks.try_send({}));
    REQUIRE(asks.try_send({}));
    link.run();
    CHECK(heard == "ok");
    CHECK(here.stats()[fault::unknown_destination] == 1);
}

// What a peer may send

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_recv_single()
TEMPLATE_TEST_CASE("a message that cannot be is dropped, counted, and its buffer given back",
                   "[bus][rule3][R4]", as_driver, as_device)
{
    loopback<board_of<4>> link;
    auto& here = TestType::here(link);
    constexpr bool is_device = TestType::role == virtio::role::device;
    int heard = 0;
    std::vector<fault> told;
    observer watch{here, on_error{[&](fault f) { told.push_back(f); }}};
    endpoint in{here, [&](message m) {
                    ++heard;
                    CHECK(m.size() == 4);
                }};
    endpoint out{TestType::there(link)};
    REQUIRE(watch.open());
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();

    const auto ring = link.ring(rx_ring(TestType::role));
    std::function<void()> spoil;
    std::function<void()> mend = [] {};
    auto expected = fault::bad_length;
    [[maybe_unused]] wire::descriptor good{};
    [[maybe_unused]] const auto descriptor = [&]() -> wire::descriptor& {
        return ring.descriptor_at(
            ring.avail_at(static_cast<std::uint16_t>((ring.avail().idx.get() - 1U) % 4)).get());
    };
    [[maybe_unused]] const auto used = [&]() -> wire::used_element& {
        return ring.used_at(static_cast<std::uint16_t>((ring.used().idx.get() - 1U) % 4));
    };

    SECTION("a header that claims more than the buffer holds")
    {
        spoil = [&] { last_header(link, TestType::role).len = std::uint16_t{497}; };
    }
    SECTION("a header that claims all that can be claimed")
    {
        spoil = [&] { last_header(link, TestType::role).len = std::uint16_t{65535}; };
    }
    if constexpr (is_device) {
        SECTION("a buffer outside the map")
        {
            spoil = [&] { good = descriptor(), descriptor().addr = std::uint64_t{0x1234'5678'9ABC}; };
            mend = [&] { descriptor() = good; };
            expected = fault::bad_buffer;
        }
        SECTION("a buffer that ends outside the map")
        {
            spoil = [&] { good = descriptor(), descriptor().len = 0x7FFF'FFFFU; };
            mend = [&] { descriptor() = good; };
            expected = fault::bad_buffer;
        }
        SECTION("a buffer too small for a header")
        {
            spoil = [&] { good = descriptor(), descriptor().len = 15U; };
            mend = [&] { descriptor() = good; };
            expected = fault::bad_buffer;
        }
    } else {
        SECTION("a used length too small for a header")
        {
            spoil = [&] { used().len = 15U; };
            expected = fault::bad_buffer;
        }
        SECTION("a used length beyond the buffer")
        {
            spoil = [&] { used().len = 513U; };
            expected = fault::bad_buffer;
        }
        SECTION("a used length below what the header claims")
        {
            spoil = [&] { used().len = 19U; };
        }
    }
    if (!spoil)
        spoil = [&] { last_header(link, TestType::role).len = std::uint16_t{500}; };
    // More often than there are buffers: none is lost.
    for (std::uint32_t i = 1; i != 13; ++i) {
        REQUIRE(out.try_send(bytes("spam")));
        spoil();
        here.poll();
        mend();
        link.run();
        CHECK(here.stats()[expected] == i);
    }
    CHECK(heard == 0);
    CHECK(told == std::vector(12, expected));
    REQUIRE(out.try_send(bytes("good")));
    link.run();
    CHECK(heard == 1);
    CHECK(here.state() == link_state::up);
}

TEST_CASE("an avail entry that names no descriptor is skipped and counted", "[bus][rule3][R13]")
{
    loopback<> link;
    int heard = 0;
    endpoint in{link.device(), [&](message) { ++heard; }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    REQUIRE(out.try_send({}));
    REQUIRE(out.try_send({}));
    const auto ring = link.ring(vring_id::to_device);
    ring.avail_at(0) = std::uint16_t{16};
    CHECK(link.device().poll().handled == 2);
    CHECK(heard == 1);
    CHECK(link.device().stats()[fault::bad_descriptor] == 1);
    CHECK(link.device().state() == link_state::up);
}

TEMPLATE_TEST_CASE("what cannot be repaired gives the link up, once, and it starts over", "[bus][rule3]",
                   as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    int unbound = 0;
    endpoint in{here, [](message) {}, on_unbound{[&] { ++unbound; }}};
    endpoint out{TestType::there(link)};
    REQUIRE(in.open("channel"));
    REQUIRE(out.open("channel"));
    link.run();
    REQUIRE(in.is_bound());
    const auto ring = link.ring(rx_ring(TestType::role));

    SECTION("an index that is more than a lap ahead")
    {
        if constexpr (TestType::role == virtio::role::device)
            ring.avail().idx = static_cast<std::uint16_t>(ring.avail().idx.get() + 17);
        else
            ring.used().idx = static_cast<std::uint16_t>(ring.used().idx.get() + 17);
    }
    SECTION("an index that goes back")
    {
        REQUIRE(out.try_send({}));
        here.poll();
        if constexpr (TestType::role == virtio::role::device)
            ring.avail().idx = static_cast<std::uint16_t>(ring.avail().idx.get() - 1);
        else
            ring.used().idx = static_cast<std::uint16_t>(ring.used().idx.get() - 1);
    }
    if constexpr (TestType::role == virtio::role::driver) {
        SECTION("a used id that was never lent")
        {
            REQUIRE(out.try_send({}));
            ring.used_at(static_cast<std::uint16_t>((ring.used().idx.get() - 1U) % 16)).id = 16U;
        }
    }
    here.poll();
    here.poll();
    CHECK(here.stats()[fault::ring_broken] == 1);
    CHECK(unbound == 1);
    link.run();
    CHECK(here.state() == link_state::up);
    CHECK(in.is_bound());
    CHECK(here.stats()[fault::ring_broken] == 1);
}

// Doorbells for messages

TEST_CASE("who polls says once that it wants no doorbell", "[bus][rule8]")
{
    loopback<loopback_board, polled_board> link;
    int heard = 0;
    endpoint in{link.device(), [&](message) { ++heard; }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    const auto before = link.rang(virtio::role::driver).total();
    CHECK(link.ring(vring_id::to_device).used().flags == wire::used_no_notify);
    for (int i = 0; i != 20; ++i) {
        REQUIRE(out.try_send({}));
        link.run();
    }
    CHECK(heard == 20);
    CHECK(link.rang(virtio::role::driver).total() == before);
}

TEST_CASE("who wants no doorbell while draining says so, and looks again when it is done", "[bus][rule8]")
{
    loopback<loopback_board, quiet_board> link;
    endpoint out{link.driver()};
    int heard = 0;
    std::vector<int> flags;
    endpoint in{link.device(), [&](message) {
                    ++heard;
                    flags.push_back(link.ring(vring_id::to_device).used().flags);
                    if (heard == 1)  // comes while it drains, and does not ring
                        CHECK(out.try_send({}));
                }};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    CHECK(link.ring(vring_id::to_device).used().flags == 0);
    const auto before = link.rang(virtio::role::driver).total();
    REQUIRE(out.try_send({}));
    CHECK(link.rang(virtio::role::driver).total() == before + 1);
    CHECK(link.device().poll().handled == 2);
    CHECK(heard == 2);
    CHECK(flags[0] == 1);
    CHECK(link.rang(virtio::role::driver).total() == before + 1);
    CHECK(link.ring(vring_id::to_device).used().flags == 0);

    SECTION("also when its budget ran out")
    {
        for (int i = 0; i != 3; ++i)
            REQUIRE(out.try_send({}));
        const auto done = link.device().poll(2);
        CHECK(done.handled == 2);
        CHECK(done.more);
        CHECK(link.ring(vring_id::to_device).used().flags == 0);
        CHECK(link.device().has_work());
        CHECK_FALSE(link.device().poll(1).more);
    }
}

TEMPLATE_TEST_CASE("with EVENT_IDX the peer rings for the first message after a drain", "[bus][rule10]",
                   events_board, quiet_events_board)
{
    loopback<TestType> link;
    int heard = 0;
    endpoint in{link.device(), [&](message) { ++heard; }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    for (int round = 1; round != 30; ++round) {
        const auto before = link.rang(virtio::role::driver).total();
        for (int i = 0; i != 5; ++i)
            REQUIRE(out.try_send({}));
        CHECK(link.rang(virtio::role::driver).total() == before + 1);
        link.run();
        CHECK(heard == 5 * round);
    }
}

TEMPLATE_TEST_CASE("a drained batch rings at most once for the buffers it gives back", "[bus][rule10][R11]",
                   as_driver, as_device)
{
    loopback<board_of<16>> link;
    std::vector<std::uint32_t> rung;  // when each message is heard
    endpoint in{TestType::here(link), [&](message) { rung.push_back(link.rang(TestType::role).total()); }};
    endpoint out{TestType::there(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();

    SECTION("not at all when nobody waits for one")
    {
        for (int i = 0; i != 10; ++i)
            REQUIRE(out.try_send({}));
        const auto before = link.rang(TestType::role).total();
        TestType::here(link).poll();
        CHECK(link.rang(TestType::role).total() == before);
    }
    SECTION("at once for the first when a sender may be asleep, and once for the others")
    {
        while (out.try_send({})) {}
        const auto before = link.rang(TestType::role).total();
        TestType::here(link).poll();
        REQUIRE(rung.size() == 16);
        CHECK(rung[0] == before);
        CHECK(rung[1] == before + 1);
        CHECK(rung[15] == before + 1);
        CHECK(link.rang(TestType::role).total() <= before + 2);
    }
}
