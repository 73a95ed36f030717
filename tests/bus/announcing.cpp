#include <rpmsg/bus/announcing.hpp>

#include "bus/fixture.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <rpmsg/testing/recording_board.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using recorded = rpmsg::testing::event;

namespace {

struct board_of_4 : loopback_board {
    using ring = policy::ring_of<4>;
    static constexpr std::size_t withdrawals = 2;
};
struct silent_board : board_of_4 {
    static constexpr std::size_t withdrawals = 0;
};
struct zephyr_board : loopback_board {
    using ring = policy::ring_of<4>;
    using dialect = policy::zephyr_static_vrings;
};
/// Two contexts may call, and the test says which does.
struct two_contexts : board_of_4 {
    using exclusion = recording_exclusion;
    using coherence = recording_coherence;
};

using strings = std::vector<std::string>;

}  // namespace

TEMPLATE_TEST_CASE("endpoints opened before the link is up are announced when it comes up, in order",
                   "[bus][name_service][openamp-3.1][openamp-3.4]", as_driver, as_device)
{
    loopback<> link;
    ear there{TestType::there(link)};
    auto& here = TestType::here(link);
    endpoint b{here};
    endpoint a{here};
    endpoint fixed{here};
    endpoint anonymous{here};
    endpoint c{here};
    REQUIRE(b.open("b"));
    REQUIRE(a.open("a", address{30}));
    REQUIRE(fixed.open(address{40}, towards{50}));
    REQUIRE(anonymous.open(address{41}));
    REQUIRE(c.open("c"));
    link.run();
    CHECK(there.take() == strings{"+b@1024", "+a@30", "+c@1025"});

    SECTION("once in an epoch")
    {
        link.run();
        TestType::here(link).poll();
        link.run();
        CHECK(there.take().empty());
    }
    SECTION("and again in the next, with the same addresses, in the same order")
    {
        for (int i = 0; i != 3; ++i) {
            link.driver().stop();
            link.device().poll();
            there.heard.clear();
            link.driver().start();
            link.run();
            CHECK(there.take() == strings{"+b@1024", "+a@30", "+c@1025"});
        }
    }
    SECTION("without those that were closed meanwhile")
    {
        REQUIRE(a.close());
        link.run();
        CHECK(there.take() == strings{"-a@30"});
        link.driver().stop();
        link.device().poll();
        there.heard.clear();
        link.driver().start();
        link.run();
        CHECK(there.take() == strings{"+b@1024", "+c@1025"});
    }
}

TEMPLATE_TEST_CASE("an endpoint opened while the link is up is announced at once", "[bus][name_service]",
                   as_driver, as_device)
{
    loopback<> link;
    ear there{TestType::there(link)};
    endpoint a{TestType::here(link)};
    link.run();
    REQUIRE(a.open("now"));
    TestType::there(link).poll();
    CHECK(there.take() == strings{"+now@1024"});
    REQUIRE(a.close());
    TestType::there(link).poll();
    CHECK(there.take() == strings{"-now@1024"});
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, virtio_rpmsg_announce_create()
// @spec Linux include/linux/rpmsg/ns.h, RPMSG_NS_ADDR; OpenAMP lib/include/openamp/rpmsg.h, RPMSG_NS_EPT_ADDR
TEMPLATE_TEST_CASE("an announcement is 40 bytes from the endpoint to 53, zero-padded",
                   "[bus][name_service][rule4]", as_driver, as_device)
{
    loopback<> link;
    endpoint a{TestType::here(link)};
    link.run();
    // What stood in the buffers before must not go out.
    for (std::uint16_t id = 0; id != 16; ++id)
        for (auto& byte : link.buffer(tx_ring(TestType::role), id))
            byte = std::byte{0xA5};
    REQUIRE(a.open("rpmsg-echo", address{0x1234}));

    const auto ring = link.ring(tx_ring(TestType::role));
    const auto id = TestType::role == virtio::role::driver
                        ? ring.avail_at(0).get()
                        : static_cast<std::uint16_t>(ring.used_at(0).id.get());
    if (TestType::role == virtio::role::device)
        CHECK(ring.used_at(0).len == 16 + 40);
    CHECK(hex(link.buffer(tx_ring(TestType::role), id).first(57)) ==
          "34120000"  // source
          "35000000"  // destination
          "00000000"  // reserved
          "2800"      // length
          "0000"      // flags
          "72706d73672d6563686f00000000000000000000000000000000000000000000"
          "34120000"  // address
          "00000000"  // it came
          "a5");      // not ours any more
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, virtio_rpmsg_announce_create()
// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, virtio_rpmsg_announce_destroy()
// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, VIRTIO_RPMSG_F_NS
TEMPLATE_TEST_CASE("without the name service nothing is announced, and that can be seen",
                   "[bus][name_service][openamp-3.4][R16]", as_driver, as_device)
{
    loopback<> link{{.features = 0}};
    ear there{TestType::there(link)};
    auto& here = TestType::here(link);
    int heard = 0;
    endpoint named{here, [&](message) { ++heard; }};
    endpoint same{TestType::there(link)};
    REQUIRE(named.open("named"));
    REQUIRE(same.open("named"));
    link.run();
    CHECK_FALSE(here.has_name_service());
    CHECK(there.heard.empty());
    CHECK_FALSE(named.is_bound());

    SECTION("its messages are for nobody")
    {
        REQUIRE(same.try_send_to(name_service_address, std::vector<std::byte>(40)));
        link.run();
        CHECK(here.stats()[fault::unknown_destination] == 1);
    }
    SECTION("an endpoint is bound by its first sender all the same")
    {
        REQUIRE(same.try_send_to(named.local(), {}));
        link.run();
        CHECK(heard == 1);
        CHECK(named.is_bound());
    }
    REQUIRE(named.close());
    link.run();
    CHECK(there.heard.empty());
}

TEMPLATE_TEST_CASE("the name service never waits: what finds no buffer is sent later, in order",
                   "[bus][name_service][openamp-3.4][rule5]", as_driver, as_device)
{
    manual_clock::set(0);
    loopback<board_of_4> link;
    ear there{TestType::there(link)};
    auto& here = TestType::here(link);
    endpoint out{here};
    endpoint early{here};
    REQUIRE(out.open(address{1}, towards{2}));
    REQUIRE(early.open("early"));
    link.run();
    CHECK(there.take() == strings{"+early@1024"});
    while (out.try_send({})) {}

    std::vector<std::unique_ptr<decltype(endpoint{here})>> all;
    for (int i = 0; i != 10; ++i) {
        all.push_back(std::make_unique<decltype(endpoint{here})>(here));
        REQUIRE(all.back()->open("late"));
        CHECK(all.back()->is_open());
    }
    REQUIRE(early.close());
    CHECK(manual_clock::now() == 0);
    here.poll();
    TestType::there(link).poll(0);
    CHECK(there.heard.empty());

    CHECK(link.run());
    strings expected{"-early@1024"};
    for (int i = 0; i != 10; ++i)
        expected.push_back("+late@" + std::to_string(1025 + i));
    CHECK(there.take() == expected);
}

TEMPLATE_TEST_CASE("an announcement leaves the buffer that is kept for replies",
                   "[bus][name_service][replies]", as_driver, as_device)
{
    loopback<board_of_4> link;
    ear there{TestType::there(link)};
    auto& here = TestType::here(link);
    endpoint out{here};
    endpoint named{here};
    endpoint echo{here, [](message m) { return m.payload(); }};
    std::string answered;
    endpoint asks{TestType::there(link), [&](std::span<const std::byte> p) { answered += text(p); }};
    REQUIRE(out.open(address{1}, towards{2}));
    REQUIRE(echo.open(address{3}));
    REQUIRE(asks.open(address{4}, towards{3}));
    link.run();
    while (out.try_send({})) {}
    REQUIRE(named.open("named"));
    REQUIRE(asks.try_send(bytes("!")));
    here.poll();
    TestType::there(link).poll(4);
    CHECK(there.heard.empty());
    CHECK(answered == "!");
    link.run();
    CHECK(there.take() == strings{"+named@1024"});
}

TEMPLATE_TEST_CASE("what buffers have no room for is not announced", "[bus][name_service][rule3]", as_driver,
                   as_device)
{
    const bool has_room = GENERATE(false, true);
    const auto size = has_room ? 16U + 40U : 16U + 39U;
    loopback<board_of_4> link{{.to_driver_size = size, .to_device_size = size}};
    ear there{TestType::there(link)};
    endpoint named{TestType::here(link)};
    REQUIRE(named.open("named"));
    link.run();
    CHECK(there.take() == (has_room ? strings{"+named@1024"} : strings{}));
    CHECK(link.driver().stats().total() + link.device().stats().total() == 0);
}

TEMPLATE_TEST_CASE("what was never announced is not withdrawn",
                   "[bus][name_service][openamp-3.4][openamp-3.2]", as_driver, as_device)
{
    loopback<board_of_4> link;
    ear there{TestType::there(link)};
    auto& here = TestType::here(link);
    endpoint e{here};

    SECTION("closed before there was a link")
    {
        REQUIRE(e.open("never"));
        REQUIRE(e.close());
        link.run();
    }
    SECTION("closed before there was a buffer for it")
    {
        endpoint out{here};
        REQUIRE(out.open(address{1}, towards{2}));
        link.run();
        while (out.try_send({})) {}
        REQUIRE(e.open("never"));
        REQUIRE(e.close());
        link.run();
    }
    SECTION("opened as the answer to an announcement")
    {
        REQUIRE(e.open(towards{77}));
        link.run();
        REQUIRE(e.close());
        link.run();
    }
    SECTION("without the link that it was announced in")
    {
        REQUIRE(e.open("once"));
        link.run();
        CHECK(there.take() == strings{"+once@1024"});
        link.driver().stop();
        link.device().poll();
        there.heard.clear();
        REQUIRE(e.close());
        link.driver().start();
        link.run();
    }
    CHECK(there.heard.empty());
    CHECK(here.stats().total() == 0);
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, virtio_rpmsg_announce_destroy()
TEMPLATE_TEST_CASE("a name at a reserved address comes and goes as any other",
                   "[bus][name_service][openamp-3.4][openamp-3.2]", as_driver, as_device)
{
    loopback<> link;
    ear there{TestType::there(link)};
    endpoint e{TestType::here(link)};
    REQUIRE(e.open("reserved", address{30}));
    link.run();
    REQUIRE(e.close());
    link.run();
    CHECK(there.take() == strings{"+reserved@30", "-reserved@30"});
}

TEMPLATE_TEST_CASE("two endpoints of one name are both announced", "[bus][name_service][openamp-3.4]",
                   as_driver, as_device)
{
    loopback<> link;
    ear there{TestType::there(link)};
    endpoint a{TestType::here(link)};
    endpoint b{TestType::here(link)};
    REQUIRE(a.open("same"));
    REQUIRE(b.open("same"));
    link.run();
    CHECK(there.take() == strings{"+same@1024", "+same@1025"});
    REQUIRE(a.close());
    link.run();
    CHECK(there.take() == strings{"-same@1024"});
}

TEMPLATE_TEST_CASE("a channel closed and opened again without a buffer is withdrawn first",
                   "[bus][name_service]", as_driver, as_device)
{
    loopback<board_of_4> link;
    ear there{TestType::there(link)};
    auto& here = TestType::here(link);
    endpoint out{here};
    endpoint e{here};
    REQUIRE(out.open(address{1}, towards{2}));
    REQUIRE(e.open("again"));
    link.run();
    there.heard.clear();
    while (out.try_send({})) {}
    REQUIRE(e.close());
    REQUIRE(e.open("again"));
    link.run();
    CHECK(there.take() == strings{"-again@1024", "+again@1025"});
}

TEMPLATE_TEST_CASE("more withdrawals than can wait", "[bus][name_service]", as_driver, as_device)
{
    loopback<board_of_4> link;
    ear there{TestType::there(link)};
    auto& here = TestType::here(link);
    endpoint out{here};
    endpoint a{here};
    endpoint b{here};
    std::optional<decltype(endpoint{here})> c;
    c.emplace(here);
    REQUIRE(out.open(address{1}, towards{2}));
    REQUIRE((a.open("a") && b.open("b") && c->open("c")));
    link.run();
    there.heard.clear();
    while (out.try_send({})) {}
    REQUIRE((a.close() && b.close()));

    SECTION("are refused by close, which can be called again")
    {
        CHECK(c->close().error() == errc::full);
        CHECK(c->is_open());
        link.run();
        CHECK(there.take() == strings{"-a@1024", "-b@1025"});
        CHECK(c->close());
        link.run();
        CHECK(there.take() == strings{"-c@1026"});
        CHECK(here.stats()[fault::withdrawal_dropped] == 0);
    }
    SECTION("are dropped by a destructor, and counted")
    {
        c.reset();
        CHECK(here.stats()[fault::withdrawal_dropped] == 1);
        link.run();
        CHECK(there.take() == strings{"-a@1024", "-b@1025"});
    }
    SECTION("are none where the endpoint was not announced")
    {
        endpoint anonymous{here};
        REQUIRE(anonymous.open(address{99}));
        CHECK(anonymous.close());
        CHECK(out.close());
    }
}

TEMPLATE_TEST_CASE("a board that keeps no withdrawals withdraws what it can at once", "[bus][name_service]",
                   as_driver, as_device)
{
    loopback<silent_board> link;
    auto& here = TestType::here(link);
    std::optional<decltype(endpoint{here})> e;
    e.emplace(here);
    endpoint anonymous{here};
    REQUIRE(e->open("named"));
    REQUIRE(anonymous.open(address{5}));
    link.run();
    CHECK(anonymous.close());
    CHECK(e->close().error() == errc::full);
    e.reset();
    CHECK(here.stats()[fault::withdrawal_dropped] == 1);
    link.run();
    CHECK(here.state() == link_state::up);
}

TEMPLATE_TEST_CASE("withdrawals that wait are forgotten with their link", "[bus][name_service]", as_driver,
                   as_device)
{
    loopback<board_of_4> link;
    ear there{TestType::there(link)};
    auto& here = TestType::here(link);
    endpoint out{here};
    endpoint a{here};
    endpoint b{here};
    REQUIRE(out.open(address{1}, towards{2}));
    REQUIRE((a.open("a") && b.open("b")));
    link.run();
    while (out.try_send({})) {}
    REQUIRE(a.close());
    link.driver().stop();
    link.device().poll();
    there.heard.clear();
    link.driver().start();
    link.run();
    CHECK(there.take() == strings{"+b@1025"});

    REQUIRE(b.close());  // the next one that is withdrawn brings none of them along
    link.run();
    CHECK(there.take() == strings{"-b@1025"});
}

TEMPLATE_TEST_CASE("a bus that stops withdraws what the peer knows", "[bus][name_service]", as_driver,
                   as_device)
{
    loopback<> link;
    ear there{TestType::there(link)};
    auto& here = TestType::here(link);
    endpoint a{here};
    endpoint b{here};
    endpoint anonymous{here};
    REQUIRE((a.open("a") && b.open("b") && anonymous.open(address{7})));
    link.run();
    there.heard.clear();
    here.stop();
    if constexpr (TestType::role == virtio::role::device) {
        TestType::there(link).poll();
        CHECK(there.take() == strings{"-a@1024", "-b@1025"});
    } else {
        // The driver resets the device: there is nobody who would read on.
        TestType::there(link).poll();
        CHECK(TestType::there(link).state() == link_state::lost);
    }
}

// Two contexts

TEMPLATE_TEST_CASE("the link may go while a withdrawal is sent", "[bus][name_service]", as_driver, as_device)
{
    journal log;
    loopback<two_contexts> link;
    auto& here = TestType::here(link);
    endpoint a{here};
    endpoint b{here};
    REQUIRE((a.open("a") && b.open("b")));
    link.run();
    // No lock is held while the message is made: an interrupt polls, and finds that the peer is gone.
    log.once(recorded::clean, [&] {
        log.run_as(2);
        here.stop();
        log.run_as(1);
    });
    CHECK(a.close());
    CHECK(here.state() == link_state::down);
    here.start();
    link.driver().stop();
    link.device().poll();
    link.driver().start();
    ear there{TestType::there(link)};
    CHECK(link.run());
    CHECK(there.take() == strings{"+b@1025"});
    CHECK(log.mistakes() == 0);
}

TEMPLATE_TEST_CASE("an endpoint may be destroyed while it is announced", "[bus][name_service]", as_driver,
                   as_device)
{
    journal log;
    bool seized = false;  // outlives the endpoints, whose ends are written down too
    loopback<two_contexts> link;
    ear there{TestType::there(link)};
    auto& here = TestType::here(link);
    using plain = decltype(endpoint{here});
    auto a = std::make_unique<plain>(here);
    auto b = std::make_unique<plain>(here);
    link.run();

    SECTION("by another context")
    {
        log.once(recorded::clean, [&] {
            log.run_as(2);
            a.reset();
            log.run_as(1);
        });
        auto* const opened = a.get();
        CHECK(opened->open("a"));
        CHECK(b->open("b"));
        link.run();
        CHECK(there.take() == strings{"+a@1024", "-a@1024", "+b@1025"});
    }
    SECTION("and another be opened at its place")
    {
        REQUIRE(a->open("a"));
        REQUIRE(b->open("b"));
        link.driver().stop();
        link.device().poll();
        there.heard.clear();
        log.when(recorded::clean, [&] {
            // While "a" is announced again both go, and a new one comes.
            if (seized || log.is_locked() || here.state() != link_state::up)
                return;
            seized = true;
            log.run_as(2);
            b.reset();
            std::destroy_at(a.get());
            std::construct_at(a.get(), here);
            CHECK(a->open("new"));
            log.run_as(1);
        });
        link.driver().start();
        CHECK(link.run());
        const auto heard = there.take();
        CHECK(std::find(heard.begin(), heard.end(), "+new@1026") != heard.end());
        CHECK(std::count(heard.begin(), heard.end(), "+b@1025") == 0);
    }
    CHECK(log.mistakes() == 0);
}

// A dialect that answers announcements

// @spec Zephyr subsys/ipc/ipc_service/backends/ipc_rpmsg_static_vrings.c, bound_cb()
TEMPLATE_TEST_CASE("where the dialect greets, an announcement is answered by an empty message",
                   "[bus][name_service]", as_driver, as_device)
{
    loopback<zephyr_board> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    std::vector<std::size_t> heard;
    endpoint a{here};
    endpoint b{there, [&](message m) { heard.push_back(m.size()); }};
    link.run();
    REQUIRE(b.open("channel", address{7}));
    link.run();
    REQUIRE(a.open("other", address{8}));
    link.run();
    CHECK(heard.empty());
    REQUIRE(a.close());
    link.run();

    SECTION("which binds the one who announced")
    {
        REQUIRE(a.open("channel", address{9}));
        link.run();
        CHECK(a.is_bound());
        CHECK(b.is_bound());
    }
    SECTION("as soon as there is a buffer")
    {
        endpoint out{here};
        REQUIRE(out.open(address{1}, towards{2}));
        REQUIRE(a.open("channel", address{9}));
        REQUIRE(b.close());
        link.run();
        REQUIRE(b.open("channel", address{7}));
        while (out.try_send({})) {}
        here.poll();
        CHECK(a.is_bound());
        CHECK(heard.empty());
        link.run();
        CHECK(heard == std::vector<std::size_t>{0});
        CHECK(b.peer() == address{9});
    }
}
