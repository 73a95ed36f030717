#include <rpmsg/bus/endpoint.hpp>

#include "bus/fixture.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;

namespace {

struct board_of_4 : loopback_board {
    using ring = policy::ring_of<4>;
};

struct sample {
    std::uint32_t when;
    std::array<std::int16_t, 2> axis;
};

using device_bus_t = device_bus<loopback_board>;
using silent_endpoint = decltype(endpoint{std::declval<device_bus_t&>()});
constexpr auto echo_back = [](message in) { return in.payload(); };
using echo_endpoint = decltype(endpoint{std::declval<device_bus_t&>(), echo_back});
constexpr auto ignore = [](const sample&) {};
using typed_endpoint = decltype(endpoint{std::declval<device_bus_t&>(), typed<sample>, ignore});

// Endpoints do not move.
static_assert(!std::is_copy_constructible_v<echo_endpoint> && !std::is_move_constructible_v<echo_endpoint>);
static_assert(!std::is_copy_assignable_v<echo_endpoint> && !std::is_move_assignable_v<echo_endpoint>);
static_assert(!std::is_move_constructible_v<silent_endpoint> &&
              !std::is_move_constructible_v<typed_endpoint>);

// A receiver without state costs nothing, and which it is makes no difference.
static_assert(sizeof(void*) != 8 || sizeof(echo_endpoint) <= 56, "an endpoint and its receiver (rule 11)");
static_assert(sizeof(silent_endpoint) == sizeof(echo_endpoint) &&
              sizeof(typed_endpoint) == sizeof(echo_endpoint));

/// Everything that an endpoint can send with: how often it was refused as expected.
template <typename Endpoint>
int all_sends(Endpoint& out, std::span<const std::byte> payload, errc expected)
{
    int as_expected = 0;
    const auto check = [&](errc why) { as_expected += why == expected ? 1 : 0; };
    check(out.try_send(payload).error());
    check(out.send(payload, 0ms).error());
    check(out.try_send_to(address{9}, payload).error());
    check(out.send_to(address{9}, payload, 0ms).error());
    check(out.try_send_from(address{8}, address{9}, payload).error());
    check(out.send_from(address{8}, address{9}, payload, 0ms).error());
    return as_expected;
}

}  // namespace

TEMPLATE_TEST_CASE("an endpoint is opened by name, by address, or towards an address", "[bus]", as_driver,
                   as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    endpoint a{here};
    CHECK_FALSE(a.is_open());
    CHECK(a.local().is_any());
    CHECK(a.peer().is_any());

    SECTION("by name: at the next dynamic address, with nobody yet")
    {
        endpoint b{here};
        REQUIRE(a.open("a"));
        REQUIRE(b.open("b"));
        CHECK(a.is_open());
        CHECK(a.local() == address{1024});
        CHECK(b.local() == address{1025});
        CHECK(a.peer().is_any());
    }
    SECTION("by name, at an address of ours")
    {
        REQUIRE(a.open("a", address{30}));
        CHECK(a.local() == address{30});
        CHECK(a.peer().is_any());
    }
    SECTION("by a name that is only known when the program runs")
    {
        static const std::string text = "run-time";  // outlives the endpoint
        REQUIRE(a.open(*name::from_static(text.c_str())));
        link.run();
    }
    SECTION("at an address, with nobody yet")
    {
        REQUIRE(a.open(address{30}));
        CHECK(a.local() == address{30});
        CHECK(a.peer().is_any());
    }
    SECTION("at an address towards another: bound at once when there is a link")
    {
        REQUIRE(a.open(address{30}, towards{40}));
        CHECK(a.local() == address{30});
        CHECK(a.peer() == address{40});
        CHECK_FALSE(a.is_bound());
        link.run();
        CHECK(a.is_bound());
    }
    SECTION("towards another, from an address chosen here")
    {
        link.run();
        REQUIRE(a.open(towards{40}));
        CHECK(a.local() == address{1024});
        CHECK(a.is_bound());
    }
    SECTION("in any case once")
    {
        REQUIRE(a.open(address{30}));
        CHECK(a.open(address{31}).error() == errc::already_open);
        CHECK(a.open("name").error() == errc::already_open);
        CHECK(a.open(towards{40}).error() == errc::already_open);
        CHECK(a.local() == address{30});
        CHECK(a.peer().is_any());
    }
    SECTION("and again after it was closed, at an address that was not used lately")
    {
        REQUIRE(a.open("a"));
        REQUIRE(a.close());
        CHECK_FALSE(a.is_open());
        CHECK(a.local().is_any());
        CHECK(a.close().error() == errc::closed);
        REQUIRE(a.open("a"));
        CHECK(a.local() == address{1025});
    }
}

TEMPLATE_TEST_CASE("an address that is taken is refused and nothing changes", "[bus][rule6]", as_driver,
                   as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    endpoint a{here};
    endpoint b{here};
    REQUIRE(a.open(address{30}));

    CHECK(b.open(address{30}).error() == errc::address_in_use);
    CHECK(b.open("b", address{30}).error() == errc::address_in_use);
    CHECK(b.open(address{30}, towards{1}).error() == errc::address_in_use);
    CHECK(b.open(name_service_address).error() == errc::address_in_use);
    CHECK_FALSE(b.is_open());
    CHECK(b.local().is_any());

    SECTION("until it is given back")
    {
        REQUIRE(a.close());
        CHECK(b.open(address{30}));
    }
    SECTION("a dynamic one is chosen around it")
    {
        REQUIRE(b.open(address{1024}));
        endpoint c{here};
        REQUIRE(c.open("c"));
        CHECK(c.local() == address{1025});
    }
}

TEST_CASE("far more than 128 dynamic endpoints work, each with its own address", "[bus][openamp-5.1][rule9]")
{
    loopback<> link;
    using receiver = std::function<void(message)>;
    std::vector<std::unique_ptr<endpoint<device_bus_t::basic, void, receiver>>> all;
    std::set<std::uint32_t> addresses;
    std::vector<int> heard(300);
    for (std::size_t i = 0; i != 300; ++i) {
        all.push_back(std::make_unique<endpoint<device_bus_t::basic, void, receiver>>(
            link.device(), receiver{[&heard, i](message) { ++heard[i]; }}));
        REQUIRE(all.back()->open("many"));
        addresses.insert(all.back()->local().value());
    }
    CHECK(addresses.size() == 300);
    CHECK(*addresses.begin() == 1024);
    CHECK(all[128]->local() == address{1024 + 128});

    endpoint out{link.driver()};
    REQUIRE(out.open(address{1}));
    link.run();
    for (const auto& e : all) {
        REQUIRE(out.try_send_to(e->local(), {}));
        link.run();
    }
    CHECK(std::ranges::all_of(heard, [](int n) { return n == 1; }));
}

TEST_CASE("an address that was given back is not used again soon", "[bus][openamp-5.1]")
{
    loopback<> link;
    endpoint e{link.device()};
    std::set<std::uint32_t> seen;
    for (int i = 0; i != 200; ++i) {
        REQUIRE(e.open(towards{1}));
        CHECK(seen.insert(e.local().value()).second);
        REQUIRE(e.close());
    }
}

TEMPLATE_TEST_CASE("each way of sending gets to where it says, in the name it says", "[bus]", as_driver,
                   as_device)
{
    loopback<> link;
    std::string heard;
    address from;
    const auto hear = [&](message m, address a) {
        heard = std::to_string(m.destination().value()) + ":" + text(m.payload());
        from = a;
    };
    endpoint peer{TestType::there(link), hear};
    endpoint other{TestType::there(link), hear};
    endpoint out{TestType::here(link)};
    REQUIRE(peer.open(address{1}));
    REQUIRE(other.open(address{2}));
    REQUIRE(out.open(address{7}, towards{1}));
    link.run();

    SECTION("send") { REQUIRE(out.send(bytes("x"), 1ms)); }
    SECTION("try_send") { REQUIRE(out.try_send(bytes("x"))); }
    link.run();
    if (!heard.empty()) {
        CHECK(heard == "1:x");
        CHECK(from == address{7});
        heard.clear();
    }
    SECTION("send_to")
    {
        REQUIRE(out.send_to(address{2}, bytes("y"), 1ms));
        link.run();
        CHECK(heard == "2:y");
        CHECK(from == address{7});
    }
    SECTION("try_send_to")
    {
        REQUIRE(out.try_send_to(address{2}, bytes("y")));
        link.run();
        CHECK(heard == "2:y");
        CHECK(from == address{7});
    }
    SECTION("send_from")
    {
        REQUIRE(out.send_from(address{8}, address{2}, bytes("z"), 1ms));
        link.run();
        CHECK(heard == "2:z");
        CHECK(from == address{8});
    }
    SECTION("try_send_from")
    {
        REQUIRE(out.try_send_from(address{8}, address{2}, bytes("z")));
        link.run();
        CHECK(heard == "2:z");
        CHECK(from == address{8});
    }
}

TEMPLATE_TEST_CASE("a typed endpoint sends values each way", "[bus]", as_driver, as_device)
{
    loopback<> link;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> heard;
    endpoint peer{TestType::there(link), typed<sample>,
                  [&](const sample& s, address a) { heard.emplace_back(s.when, a.value()); }};
    endpoint other{TestType::there(link), typed<sample>,
                   [&](const sample& s, address a) { heard.emplace_back(100 + s.when, a.value()); }};
    endpoint out{TestType::here(link), typed<sample>};
    REQUIRE(peer.open(address{1}));
    REQUIRE(other.open(address{2}));
    REQUIRE(out.open(address{7}, towards{1}));
    link.run();

    CHECK(out.send(sample{1, {}}, 1ms));
    CHECK(out.try_send(sample{2, {}}));
    CHECK(out.send_to(address{2}, sample{3, {}}, 1ms));
    CHECK(out.try_send_to(address{2}, sample{4, {}}));
    CHECK(out.send_from(address{8}, address{2}, sample{5, {}}, 1ms));
    CHECK(out.try_send_from(address{8}, address{1}, sample{6, {}}));
    CHECK(out.acquire(1ms).send());
    link.run();
    CHECK(heard == std::vector<std::pair<std::uint32_t, std::uint32_t>>{
                       {1, 7}, {2, 7}, {103, 7}, {104, 7}, {105, 8}, {6, 8}, {0, 7}});

    CHECK(out.send_to(any_address, sample{}, 1ms).error() == errc::bad_address);
    CHECK(out.try_send_to(any_address, sample{}).error() == errc::bad_address);
    CHECK(out.send_from(any_address, address{1}, sample{}, 1ms).error() == errc::bad_address);
    CHECK(out.try_send_from(any_address, address{1}, sample{}).error() == errc::bad_address);
}

TEMPLATE_TEST_CASE("an empty payload is sent and received", "[bus][openamp-2.4]", as_driver, as_device)
{
    loopback<> link;
    int heard = 0;
    endpoint in{TestType::there(link), [&](message m) { heard += m.size() == 0 ? 1 : 100; }};
    endpoint out{TestType::here(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    const std::array<std::byte, 1> some{};
    CHECK(out.try_send({}));
    CHECK(out.try_send(std::span{some}.first(0)));
    CHECK(out.send(std::span<const std::byte>{}, 1ms));
    CHECK(out.try_acquire().send(0));
    link.run();
    CHECK(heard == 4);
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_send_offchannel_raw()
TEMPLATE_TEST_CASE("a payload that is too long is an error, and nothing of it is sent",
                   "[bus][openamp-2.4][rule6]", as_driver, as_device)
{
    loopback<> link;
    int heard = 0;
    endpoint in{TestType::there(link), [&](message) { ++heard; }};
    endpoint out{TestType::here(link)};
    REQUIRE(in.open(address{9}));
    REQUIRE(out.open(address{2}, towards{9}));
    link.run();
    REQUIRE(TestType::here(link).max_payload() == 496);

    const auto before = hex(link.bytes());
    const std::vector<std::byte> long_one(GENERATE(497U, 512U, 65536U, 70'000U));
    CHECK(all_sends(out, long_one, errc::too_long) == 6);
    CHECK(hex(link.bytes()) == before);
    link.run();
    CHECK(heard == 0);

    CHECK(out.try_send(std::span{long_one}.first(496)));
    link.run();
    CHECK(heard == 1);
}

TEMPLATE_TEST_CASE("sending before the peer is known is an error, at once", "[bus][openamp-2.4][rule6]",
                   as_driver, as_device)
{
    manual_clock::set(0);
    loopback<> link;
    endpoint unbound{TestType::here(link)};
    endpoint bound{TestType::here(link)};
    REQUIRE(unbound.open("nobody"));
    REQUIRE(bound.open(address{2}, towards{1}));
    link.run();
    const auto ring = link.ring(tx_ring(TestType::role));
    const auto sent = [&] {
        return TestType::role == virtio::role::driver ? ring.avail().idx.get() : ring.used().idx.get();
    };

    SECTION("with buffers free") {}
    SECTION("and with none free")
    {
        while (bound.try_send({})) {}
    }
    const auto before = sent();
    CHECK(unbound.try_send(bytes("x")).error() == errc::not_bound);
    CHECK(unbound.send(bytes("x"), 1s).error() == errc::not_bound);
    CHECK(manual_clock::now() == 0);
    CHECK(sent() == before);
}

TEMPLATE_TEST_CASE("sending without a link is an error", "[bus][openamp-2.4][rule6]", as_driver, as_device)
{
    loopback<> link;
    endpoint out{TestType::here(link)};
    REQUIRE(out.open(address{2}, towards{1}));
    CHECK(all_sends(out, bytes("x"), errc::link_down) == 6);
    CHECK(out.try_acquire().error() == errc::link_down);
    CHECK(out.acquire(1ms).error() == errc::link_down);

    SECTION("also when it was there before")
    {
        link.run();
        REQUIRE(out.try_send(bytes("x")));
        TestType::here(link).stop();
        CHECK(all_sends(out, bytes("x"), errc::link_down) == 6);
        CHECK_FALSE(out.is_bound());
    }
}

TEMPLATE_TEST_CASE("a closed endpoint sends nothing", "[bus][rule6]", as_driver, as_device)
{
    loopback<> link;
    endpoint out{TestType::here(link)};
    link.run();
    CHECK(all_sends(out, bytes("x"), errc::closed) == 6);
    CHECK(out.try_send_to(address{1}, bytes("x")).error() == errc::closed);
    CHECK(out.try_acquire().error() == errc::closed);
    CHECK(out.acquire(1ms).error() == errc::closed);
    CHECK(out.close().error() == errc::closed);
    CHECK_FALSE(out.is_bound());
}

TEMPLATE_TEST_CASE("without a free buffer a try says so", "[bus][openamp-2.4][rule5]", as_driver, as_device)
{
    manual_clock::set(0);
    loopback<board_of_4> link;
    endpoint out{TestType::here(link)};
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    for (int i = 0; i != 4; ++i)
        REQUIRE(out.try_send(bytes("x")));
    CHECK(out.try_send(bytes("x")).error() == errc::full);
    CHECK(out.try_send_to(address{1}, bytes("x")).error() == errc::full);
    CHECK(out.try_send_from(address{1}, address{1}, bytes("x")).error() == errc::full);
    CHECK(out.try_acquire().error() == errc::full);
    CHECK(manual_clock::now() == 0);

    SECTION("and can be made again as it was")
    {
        link.run();
        CHECK(out.try_send(bytes("x")));
    }
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_send_offchannel_raw()
TEMPLATE_TEST_CASE("an address that names nobody is refused", "[bus][rule6]", as_driver, as_device)
{
    loopback<> link;
    endpoint out{TestType::here(link)};
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    CHECK(out.try_send_to(any_address, {}).error() == errc::bad_address);
    CHECK(out.send_to(any_address, {}, 1ms).error() == errc::bad_address);
    CHECK(out.try_send_from(any_address, address{1}, {}).error() == errc::bad_address);
    CHECK(out.try_send_from(address{1}, any_address, {}).error() == errc::bad_address);
    CHECK(out.send_from(any_address, address{1}, {}, 1ms).error() == errc::bad_address);
    CHECK(out.send_from(address{1}, any_address, {}, 1ms).error() == errc::bad_address);
}

TEMPLATE_TEST_CASE("a message for nobody is sent, and the peer drops and counts it",
                   "[bus][openamp-2.4][rule3]", as_driver, as_device)
{
    loopback<board_of_4> link;
    int told = 0;
    observer watch{TestType::there(link),
                   on_error{[&](fault f) { told += f == fault::unknown_destination ? 1 : 0; }}};
    REQUIRE(watch.open());
    endpoint out{TestType::here(link)};
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    for (int i = 0; i != 20; ++i) {
        REQUIRE(out.try_send(bytes("x")));
        link.run();
    }
    CHECK(TestType::there(link).stats()[fault::unknown_destination] == 20);
    CHECK(told == 20);
}

TEMPLATE_TEST_CASE("messages arrive in the order of sending, whichever way they were sent",
                   "[bus][openamp-2.4]", as_driver, as_device)
{
    manual_clock::set(0);
    loopback<board_of_4> link;
    std::string heard;
    endpoint in{TestType::there(link), [&](message m) { heard += text(m.payload()); }};
    endpoint out{TestType::here(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    std::string sent;
    for (char c = 'a'; c <= 'z'; ++c) {
        sent += c;
        const std::string_view one{&sent.back(), 1};
        if (c % 3 == 0) {
            REQUIRE(out.send(bytes(one), 10ms));
        } else if (c % 3 == 1) {
            auto slot = out.acquire(10ms);
            REQUIRE(slot);
            slot.payload()[0] = static_cast<std::byte>(c);
            REQUIRE(std::move(slot).send(1));
        } else {
            REQUIRE(out.send_from(address{3}, address{1}, bytes(one), 10ms));
        }
    }
    link.run();
    CHECK(heard == sent);
}

TEMPLATE_TEST_CASE("who waits for a binding polls until there is one", "[bus][rule5]", as_driver, as_device)
{
    manual_clock::set(0);
    loopback<> link;
    endpoint here{TestType::here(link)};
    REQUIRE(here.open("channel"));

    SECTION("and has it when the peer has such a channel")
    {
        endpoint there{TestType::there(link)};
        REQUIRE(there.open("channel"));
        CHECK(here.wait_bound(100ms));
        CHECK(here.is_bound());
        CHECK(here.peer() == there.local());
        CHECK(here.wait_bound(0ms));
        // A link and its channels come up in little time.
        CHECK(manual_clock::now() < 10);
    }
    SECTION("and gives up at the deadline when there is none")
    {
        CHECK(here.wait_bound(100ms).error() == errc::timed_out);
        CHECK(manual_clock::now() == 100);
        CHECK(here.wait_bound(0ms).error() == errc::timed_out);
        CHECK(manual_clock::now() == 100);
    }
    SECTION("and one deadline bounds several calls together")
    {
        const typename std::remove_reference_t<decltype(TestType::here(link))>::deadline until{50ms};
        CHECK(TestType::here(link).wait_link(until));
        CHECK(here.wait_bound(until).error() == errc::timed_out);
        CHECK(manual_clock::now() == 50);
    }
}

TEMPLATE_TEST_CASE("an endpoint without a name is announced to nobody", "[bus][openamp-3.4]", as_driver,
                   as_device)
{
    loopback<> link;
    int announced = 0;
    observer watch{TestType::there(link), on_announced{[&] { ++announced; }},
                   on_withdrawn{[&] { ++announced; }}};
    REQUIRE(watch.open());
    link.run();
    endpoint a{TestType::here(link)};
    REQUIRE(a.open(address{30}));
    link.run();
    REQUIRE(a.close());
    link.run();
    REQUIRE(a.open(address{30}, towards{1}));
    link.run();
    REQUIRE(a.close());
    link.run();
    CHECK(announced == 0);
}
