#include <rpmsg/bus/hearing.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
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

struct remembering_board : loopback_board {
    static constexpr std::size_t remembered_announcements = 2;
};

constexpr std::uint32_t came = 0;
constexpr std::uint32_t went = 1;

/// The 40 bytes of an announcement, as any peer might write them.
std::array<std::byte, 40> said(std::string_view name, std::uint32_t endpoint, std::uint32_t flags)
{
    wire::announcement out{};
    name.copy(out.name.data(), out.name.size());
    out.addr = endpoint;
    out.flags = flags;
    std::array<std::byte, 40> all;
    std::memcpy(all.data(), &out, sizeof out);
    return all;
}

/// One endpoint of a bus, and what it is told.
template <typename Bus>
struct channel {
    explicit channel(Bus& bus)
        : end{bus,
              {[this](message m) { told.push_back("message " + std::to_string(m.source().value())); }},
              {function{[this](address a) { told.push_back("bound " + std::to_string(a.value())); }}},
              {function{[this](address a) { told.push_back("unbound " + std::to_string(a.value())); }}}}
    {}
    std::vector<std::string> take() { return std::exchange(told, {}); }

    using function = std::function<void(address)>;
    std::vector<std::string> told;
    endpoint<typename Bus::basic, void, std::function<void(message)>, on_bound<function>,
             on_unbound<function>>
        end;
};

using strings = std::vector<std::string>;

/// A link that is up. On one end is a channel; at the other two endpoints, 70 and 71, say what they like.
template <typename Role, typename Board = loopback_board>
struct peer_says {
    loopback<Board> link;
    ear<std::remove_cvref_t<decltype(Role::here(link))>> bus{Role::here(link)};
    channel<std::remove_cvref_t<decltype(Role::here(link))>> c{Role::here(link)};
    endpoint<typename std::remove_cvref_t<decltype(Role::there(link))>::basic, void, no_receiver> a{
        Role::there(link)};
    endpoint<typename std::remove_cvref_t<decltype(Role::there(link))>::basic, void, no_receiver> b{
        Role::there(link)};

    peer_says()
    {
        CHECK(a.open(address{70}));
        CHECK(b.open(address{71}));
        link.run();
    }
    void says(std::string_view name, std::uint32_t endpoint, std::uint32_t flags)
    {
        CHECK(a.try_send_to(name_service_address, said(name, endpoint, flags)));
        link.run();
    }
    template <typename From>
    void sends(From& from)
    {
        CHECK(from.try_send_to(c.end.local(), {}));
        link.run();
    }
};

}  // namespace

// The three flows

TEMPLATE_TEST_CASE("static endpoints talk at once, without any announcement",
                   "[bus][name_service][openamp-3.1][openamp-3.2]", as_driver, as_device)
{
    loopback<> link{{.features = GENERATE(0U, 1U)}};
    ear there{TestType::there(link)};
    std::string heard;
    endpoint here{TestType::here(link), [&](std::span<const std::byte> p) { heard += text(p); }};
    endpoint peer{TestType::there(link), [&](message m) { return m.payload(); }};
    REQUIRE(here.open(address{30}, towards{40}));
    REQUIRE(peer.open(address{40}, towards{30}));
    link.run();
    CHECK(here.is_bound());
    CHECK(peer.is_bound());
    REQUIRE(here.try_send(bytes("hello")));
    link.run();
    CHECK(heard == "hello");
    CHECK(there.heard.empty());
}

TEMPLATE_TEST_CASE("two endpoints of one name bind to each other, whoever comes first",
                   "[bus][name_service][openamp-3.1]", as_driver, as_device)
{
    loopback<> link;
    channel here{TestType::here(link)};
    channel there{TestType::there(link)};

    SECTION("both before the link is up: their announcements cross")
    {
        REQUIRE(here.end.open("channel"));
        REQUIRE(there.end.open("channel"));
        link.run();
        CHECK(here.take() == strings{"bound 1024"});
        CHECK(there.take() == strings{"bound 1024"});
    }
    SECTION("one late: the early one is bound, the late one by its first message")
    {
        REQUIRE(here.end.open("channel"));
        link.run();
        REQUIRE(there.end.open("channel"));
        link.run();
        CHECK(here.take() == strings{"bound 1024"});
        CHECK_FALSE(there.end.is_bound());
        REQUIRE(here.end.try_send({}));
        link.run();
        CHECK(there.take() == strings{"bound 1024", "message 1024"});
    }
}

TEST_CASE("where announcements are remembered, the late one is bound as well",
          "[bus][name_service][openamp-3.4]")
{
    loopback<remembering_board> link;
    channel here{link.driver()};
    channel there{link.device()};
    REQUIRE(here.end.open("channel"));
    link.run();
    REQUIRE(there.end.open("channel"));
    link.run();
    CHECK(here.take() == strings{"bound 1024"});
    CHECK(there.take() == strings{"bound 1024"});
}

TEMPLATE_TEST_CASE("an endpoint is created for what the peer announced, and sends first",
                   "[bus][name_service][openamp-3.1]", as_driver, as_device)
{
    loopback<> link;
    channel announced{TestType::there(link)};
    channel answer{TestType::here(link)};
    observer watch{TestType::here(link), on_announced{[&](const announcement& a) {
                       CHECK(a.name() == "service");
                       CHECK(answer.end.open(towards{a.address()}));
                   }}};
    REQUIRE(watch.open());
    REQUIRE(announced.end.open("service"));
    link.run();
    CHECK(answer.end.is_bound());
    CHECK(answer.end.peer() == announced.end.local());
    CHECK_FALSE(announced.end.is_bound());
    CHECK(announced.end.try_send({}).error() == errc::not_bound);

    REQUIRE(answer.end.try_send({}));
    link.run();
    CHECK(announced.take() == strings{"bound 1024", "message 1024"});
    REQUIRE(announced.end.try_send({}));
    link.run();
    CHECK(answer.take() == strings{"message 1024"});
}

// The endpoint's states, row by row

TEMPLATE_TEST_CASE("unbound, an endpoint binds to an announcement of its name and is told",
                   "[bus][name_service][openamp-3.2]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open("mine"));
    p.says("other", 70, came);
    CHECK(p.c.take().empty());
    CHECK(p.bus.take() == strings{"+other@70"});
    p.says("mine", 70, came);
    CHECK(p.c.take() == strings{"bound 70"});
    CHECK(p.c.end.peer() == address{70});
    CHECK(p.bus.heard.empty());
}

TEMPLATE_TEST_CASE("unbound, an endpoint binds to its first sender, is told, and then hears the message",
                   "[bus][openamp-3.2]", as_driver, as_device)
{
    peer_says<TestType> p;
    SECTION("with a name") { REQUIRE(p.c.end.open("mine")); }
    SECTION("without") { REQUIRE(p.c.end.open(address{30})); }
    p.sends(p.b);
    CHECK(p.c.take() == strings{"bound 71", "message 71"});
    CHECK(p.c.end.is_bound());
}

TEMPLATE_TEST_CASE("unbound, an endpoint is not unbound by a withdrawal of its name",
                   "[bus][name_service][openamp-3.2]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open("mine"));
    p.says("mine", 70, went);
    p.says("mine", wire::any_address - 1, went);
    CHECK(p.c.take().empty());
    CHECK(p.bus.take() == strings{"-mine@70", "-mine@4294967294"});
}

TEMPLATE_TEST_CASE("unbound, an endpoint does not send", "[bus][openamp-3.2][rule6]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open("mine"));
    CHECK(p.c.end.try_send({}).error() == errc::not_bound);
}

TEMPLATE_TEST_CASE("bound, an endpoint is told nothing when the same is announced again",
                   "[bus][name_service][openamp-3.2]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open("mine"));
    for (int i = 0; i != 3; ++i)
        p.says("mine", 70, came);
    CHECK(p.c.take() == strings{"bound 70"});
    CHECK(p.bus.heard.empty());
}

TEMPLATE_TEST_CASE("bound, an endpoint is not bound anew by a third party",
                   "[bus][name_service][openamp-3.2][openamp-5.1]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open("mine"));
    p.says("mine", 70, came);
    p.c.told.clear();

    SECTION("that announces the same name: a second instance, for whoever wants it")
    {
        p.says("mine", 71, came);
        CHECK(p.c.take().empty());
        CHECK(p.bus.take() == strings{"+mine@71"});
    }
    SECTION("that sends to it: it is heard, and that is all")
    {
        p.sends(p.b);
        CHECK(p.c.take() == strings{"message 71"});
    }
    CHECK(p.c.end.peer() == address{70});
}

TEMPLATE_TEST_CASE("bound, an endpoint is unbound by the withdrawal of its peer",
                   "[bus][name_service][openamp-3.2]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open("mine"));
    p.says("mine", 70, came);
    const auto local = p.c.end.local();
    p.c.told.clear();
    p.says("mine", 70, went);
    CHECK(p.c.take() == strings{"unbound 70"});
    CHECK(p.bus.take() == strings{"-mine@70"});
    CHECK_FALSE(p.c.end.is_bound());
    CHECK(p.c.end.is_open());
    CHECK(p.c.end.local() == local);
    CHECK(p.c.end.try_send({}).error() == errc::not_bound);

    SECTION("until it is announced again")
    {
        p.says("mine", 71, came);
        CHECK(p.c.take() == strings{"bound 71"});
    }
    SECTION("or somebody sends")
    {
        p.sends(p.b);
        CHECK(p.c.take() == strings{"bound 71", "message 71"});
    }
    SECTION("once")
    {
        p.says("mine", 70, went);
        CHECK(p.c.take().empty());
    }
}

TEMPLATE_TEST_CASE("withdrawing another address' name unbinds nobody",
                   "[bus][name_service][openamp-3.2][openamp-5.1]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open("mine"));
    p.says("mine", 70, came);
    p.c.told.clear();
    p.says("mine", 71, went);
    p.says("other", 70, went);
    CHECK(p.c.take().empty());
    CHECK(p.c.end.peer() == address{70});
    CHECK(p.bus.take() == strings{"-mine@71", "-other@70"});
}

TEMPLATE_TEST_CASE("an endpoint opened towards an address is unbound when that is withdrawn",
                   "[bus][name_service][openamp-3.2]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open(address{30}, towards{70}));
    p.says("whatever", 71, went);
    CHECK(p.c.end.is_bound());
    p.says("whatever", 70, went);
    CHECK(p.c.take() == strings{"unbound 70"});
    CHECK_FALSE(p.c.end.is_bound());
    // It stored no name, so the next one who sends is its peer.
    p.sends(p.b);
    CHECK(p.c.take() == strings{"bound 71", "message 71"});
}

TEMPLATE_TEST_CASE("a peer that dies or resets unbinds all, and they bind again when it is back",
                   "[bus][openamp-3.2]", as_driver, as_device)
{
    loopback<> link;
    channel named{TestType::here(link)};
    channel fixed{TestType::here(link)};
    channel there{TestType::there(link)};
    REQUIRE(named.end.open("channel"));
    REQUIRE(fixed.end.open(address{30}, towards{40}));
    REQUIRE(there.end.open("channel"));
    link.run();
    CHECK(named.take() == strings{"bound 1024"});
    CHECK(fixed.take() == strings{"bound 40"});

    if constexpr (TestType::role == virtio::role::device)
        link.driver().stop();
    else
        link.table().vdev.status = virtio::status::needs_reset;
    TestType::here(link).poll();
    CHECK(named.take() == strings{"unbound 1024"});
    CHECK(fixed.take() == strings{"unbound 40"});
    CHECK_FALSE(named.end.is_bound());
    CHECK_FALSE(fixed.end.is_bound());

    link.driver().start();
    link.run();
    CHECK(named.take() == strings{"bound 1024"});
    CHECK(fixed.take() == strings{"bound 40"});
}

// Edge cases

TEMPLATE_TEST_CASE("of two endpoints of one name the one bound to the very address has precedence",
                   "[bus][name_service][openamp-3.4]", as_driver, as_device)
{
    peer_says<TestType> p;
    channel second{TestType::here(p.link)};
    REQUIRE(p.c.end.open("same"));
    REQUIRE(second.end.open("same"));
    p.says("same", 70, came);
    CHECK(p.c.take() == strings{"bound 70"});
    CHECK(second.take().empty());
    p.says("same", 71, came);
    CHECK(second.take() == strings{"bound 71"});

    SECTION("an older one that is unbound does not shadow it")
    {
        p.says("same", 70, went);
        CHECK(p.c.take() == strings{"unbound 70"});
        p.says("same", 71, came);  // said twice
        CHECK(p.c.take().empty());
        p.says("same", 71, went);
        CHECK(second.take() == strings{"unbound 71"});
        CHECK(p.c.take().empty());
    }
}

// @spec Linux drivers/rpmsg/rpmsg_ns.c, rpmsg_ns_cb(); Linux include/linux/mod_devicetable.h, RPMSG_NAME_SIZE
TEMPLATE_TEST_CASE("a name of 32 bytes without terminator is heard as 31 characters",
                   "[bus][name_service][openamp-3.4][rule3]", as_driver, as_device)
{
    peer_says<TestType> p;
    const std::string endless(32, 'n');
    p.says(endless, 70, came);
    CHECK(p.bus.take() == strings{"+" + std::string(31, 'n') + "@70"});

    const std::string longest(31, 'n');
    REQUIRE(p.c.end.open(*name::from_static(longest.c_str())));
    p.says(endless, 70, came);
    CHECK(p.c.take() == strings{"bound 70"});
    p.says(endless, 70, went);
    CHECK(p.c.take() == strings{"unbound 70"});
    REQUIRE(p.c.end.close());
    p.link.run();
}

// @spec Linux drivers/rpmsg/rpmsg_ns.c, rpmsg_ns_cb()
TEMPLATE_TEST_CASE("an announcement of another length is dropped and counted",
                   "[bus][name_service][openamp-3.4][rule3]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open("mine"));
    const auto whole = said("mine", 70, came);
    std::vector<std::byte> bytes(whole.begin(), whole.end());
    const auto length = GENERATE(0U, 1U, 39U, 41U, 496U);
    bytes.resize(length);
    REQUIRE(p.a.try_send_to(name_service_address, bytes));
    p.link.run();
    CHECK(TestType::here(p.link).stats()[fault::bad_announcement] == 1);
    CHECK(p.c.take().empty());
    CHECK(p.bus.heard.empty());
}

TEMPLATE_TEST_CASE("an announcement of nobody is dropped and counted",
                   "[bus][name_service][openamp-3.4][rule3]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open("mine"));
    p.says("mine", wire::any_address, came);
    p.says("mine", wire::any_address, went);
    CHECK(TestType::here(p.link).stats()[fault::bad_announcement] == 2);
    CHECK(p.c.take().empty());
    CHECK(p.bus.heard.empty());
}

// @spec Linux drivers/rpmsg/rpmsg_ns.c, rpmsg_ns_cb(); Linux include/linux/rpmsg/ns.h, enum rpmsg_ns_flags
TEMPLATE_TEST_CASE("of the flags only bit 0 counts", "[bus][name_service][openamp-3.4]", as_driver, as_device)
{
    peer_says<TestType> p;
    p.says("x", 70, 0xFFFF'FFFE);
    p.says("x", 70, 0xFFFF'FFFF);
    CHECK(p.bus.take() == strings{"+x@70", "-x@70"});
}

TEMPLATE_TEST_CASE("the name service itself cannot be bound, unbound or taken",
                   "[bus][name_service][openamp-3.4]", as_driver, as_device)
{
    peer_says<TestType> p;
    p.says("NS", 53, went);
    p.says("NS", 53, came);
    p.bus.heard.clear();
    CHECK(p.c.end.open(name_service_address).error() == errc::address_in_use);
    REQUIRE(p.c.end.open("mine"));
    p.says("mine", 70, came);
    CHECK(p.c.take() == strings{"bound 70"});
}

TEMPLATE_TEST_CASE("an empty name is no endpoint's", "[bus][name_service][openamp-3.4]", as_driver, as_device)
{
    peer_says<TestType> p;
    REQUIRE(p.c.end.open(address{30}));
    p.says("", 70, came);
    CHECK(p.c.take().empty());
    CHECK(p.bus.take() == strings{"+@70"});
}

TEMPLATE_TEST_CASE("an endpoint may go when it hears that its peer went",
                   "[bus][name_service][openamp-3.4][rule7]", as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    using plain = endpoint<typename std::remove_cvref_t<decltype(here)>::basic, void, void (*)(message),
                           on_unbound<std::function<void()>>>;
    std::optional<plain> a;
    std::optional<plain> b;
    int unbound = 0;
    std::function<void()> in_a = [] {};
    const auto make = [&](std::optional<plain>& e, bool first) {
        e.emplace(
            here, +[](message) {}, on_unbound{std::function<void()>{[&, first] {
                ++unbound;
                if (first)
                    in_a();
            }}});
        REQUIRE(e->open(address{first ? 30U : 31U}, towards{40}));
    };
    make(a, true);
    make(b, false);
    endpoint there{TestType::there(link)};
    REQUIRE(there.open("channel", address{40}));
    link.run();
    int expected = 2;

    SECTION("closing")
    {
        in_a = [&] { CHECK(a->close()); };
    }
    SECTION("destroyed")
    {
        in_a = [&] { a.reset(); };
    }
    SECTION("with the next one")
    {
        in_a = [&] { a.reset(), b.reset(); };
        expected = 1;
    }
    SECTION("opened again: when it is called it is closed only after that")
    {
        in_a = [&] {
            CHECK(a->close());
            CHECK_FALSE(a->is_open());
            CHECK(a->open(address{32}).error() == errc::already_open);
        };
    }
    REQUIRE(there.close());
    link.run();
    CHECK(unbound == expected);
    CHECK((!a || !a->is_open()));
    CHECK(here.state() == link_state::up);
}

// Announcements that came too early

TEST_CASE("what was announced before an endpoint opened is remembered for it",
          "[bus][name_service][openamp-3.4]")
{
    peer_says<as_device, remembering_board> p;
    p.says("early", 70, came);
    CHECK(p.bus.take() == strings{"+early@70"});

    SECTION("and binds it")
    {
        REQUIRE(p.c.end.open("early"));
        p.link.run();
        CHECK(p.c.take() == strings{"bound 70"});
        SECTION("once")
        {
            channel second{p.link.device()};
            REQUIRE(second.end.open("early"));
            p.link.run();
            CHECK(second.take().empty());
        }
    }
    SECTION("unless it was withdrawn")
    {
        p.says("early", 70, went);
        REQUIRE(p.c.end.open("early"));
        p.link.run();
        CHECK(p.c.take().empty());
    }
    SECTION("unless two others came since")
    {
        p.says("b", 71, came);
        p.says("c", 72, came);
        REQUIRE(p.c.end.open("early"));
        p.link.run();
        CHECK(p.c.take().empty());
        channel c{p.link.device()};
        REQUIRE(c.end.open("c"));
        p.link.run();
        CHECK(c.take() == strings{"bound 72"});
    }
    SECTION("unless the link was lost")
    {
        p.link.driver().stop();
        p.link.device().poll();
        p.link.driver().start();
        p.link.run();
        REQUIRE(p.c.end.open("early"));
        p.link.run();
        CHECK(p.c.take().empty());
    }
}
