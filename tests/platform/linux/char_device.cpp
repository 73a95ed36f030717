// Where no kernel is between: folders that look like /dev and /sys, and FIFOs for nodes, from which each message comes
// back. What only a kernel does is tried in a guest: tests/kernel/char_device.
#include <rpmsg/platform/linux/char_device.hpp>

#include "fake_rpmsg.hpp"
#include "support/catch.hpp"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::fake_rpmsg;
using rpmsg::address;
using rpmsg::errc;
using rpmsg::link_state;
using rpmsg::towards;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span{text}); }
std::string text(std::span<const std::byte> of)
{
    return {reinterpret_cast<const char*>(of.data()), of.size()};
}

constexpr const char* virtio = "platform/remoteproc0/virtio0";

/// A bus over a fake tree with one control device and one node, "rpmsg-echo" from 1024 to 77.
struct fake_bus {
    explicit fake_bus(bool with_device = true)
    {
        if (with_device)
            add();
    }
    void add(const char* to = virtio)
    {
        fake.add_control(0, to);
        fake.add_node(0, std::string{to} + "/virtio0.rpmsg-echo.1024.77", "rpmsg-echo", 1024, 77);
    }
    void remove()
    {
        fake.remove("rpmsg_ctrl0");
        fake.remove("rpmsg0");
    }
    template <typename Done>
    bool poll_until(Done done)
    {
        for (const auto end = std::chrono::steady_clock::now() + 5s; !done();) {
            if (std::chrono::steady_clock::now() > end)
                return false;
            bus.poll();
            if (!done())
                bus.wait_work(5ms);
        }
        return true;
    }

    fake_rpmsg fake;
    char_bus bus{{.rescan = 5ms, .root = fake.root()}};
};

}  // namespace

TEST_CASE("without a device endpoints are open, and wait for one", "[platform]")
{
    fake_bus here{false};
    rpmsg::endpoint ep{here.bus};
    REQUIRE(ep.open("rpmsg-echo"));
    CHECK(ep.is_open());
    CHECK(ep.open("rpmsg-echo").error() == errc::already_open);
    CHECK_FALSE(ep.is_bound());
    CHECK(here.bus.wait_link(20ms).error() == errc::timed_out);
    CHECK(here.bus.state() == link_state::negotiating);
    CHECK(here.bus.max_payload() == 0);
    CHECK(ep.send(bytes("x"), 1h).error() == errc::link_down);
    CHECK(ep.try_acquire().error() == errc::link_down);

    here.add();
    CHECK(ep.wait_bound(5s));
    CHECK(here.bus.state() == link_state::up);
    CHECK(here.bus.max_payload() == 496);
    CHECK(here.bus.epoch() == 0);
    CHECK(ep.peer() == address{77});
    CHECK(ep.local() == address{1024});
    CHECK(ep.close());
    CHECK(ep.close().error() == errc::closed);
    CHECK(ep.try_send(bytes("x")).error() == errc::closed);
}

TEST_CASE("an endpoint sends and receives by the same words as over any bus", "[platform]")
{
    fake_bus here;
    std::vector<std::string> heard;
    rpmsg::endpoint ep{here.bus, [&](rpmsg::message in) {
                           heard.push_back(text(in.payload()) + " " + std::to_string(in.source().value()) +
                                           " " + std::to_string(in.destination().value()));
                       }};
    REQUIRE(ep.open("rpmsg-echo"));
    REQUIRE(ep.wait_bound(5s));

    SECTION("a copy") { CHECK(ep.send(bytes("hello"), 1s)); }
    SECTION("to its peer by name") { CHECK(ep.try_send_to(address{77}, bytes("hello"))); }
    SECTION("in place")
    {
        auto buffer = ep.acquire(1s);
        REQUIRE(buffer);
        CHECK(buffer.payload().size() == 496);
        std::memcpy(buffer.payload().data(), "hello", 5);
        CHECK(std::move(buffer).send(5));
    }
    SECTION("in a batch")
    {
        const rpmsg::batch together{here.bus};
        CHECK(ep.try_send(bytes("hello")));
    }
    CHECK(here.poll_until([&] { return !heard.empty(); }));
    CHECK(heard == std::vector<std::string>{"hello 77 1024"});

    CHECK(ep.try_send_to(address{78}, bytes("x")).error() == errc::unsupported);
    CHECK(ep.try_send_from(address{1}, address{77}, bytes("x")).error() == errc::unsupported);
    CHECK(ep.try_send_to(rpmsg::any_address, bytes("x")).error() == errc::bad_address);
    CHECK(ep.send(std::vector<std::byte>(497), 1s).error() == errc::too_long);
}

TEST_CASE("there is no room when the kernel has none, and a wait for it has its end", "[platform]")
{
    fake_bus here;
    rpmsg::endpoint ep{here.bus, [](rpmsg::message) {}};
    int ready = 0;
    rpmsg::observer watch{here.bus, rpmsg::on_tx_ready{[&] { ++ready; }}};
    REQUIRE(ep.open("rpmsg-echo"));
    REQUIRE(watch.open());
    const std::string long_one(496, 'x');
    while (ep.try_send(bytes(long_one))) {}
    CHECK(ep.try_send(bytes(long_one)).error() == errc::full);
    const auto start = std::chrono::steady_clock::now();
    CHECK(ep.send(bytes(long_one), 30ms).error() == errc::timed_out);
    CHECK(std::chrono::steady_clock::now() - start >= 30ms);
    CHECK(here.poll_until([&] { return ready != 0; }));
    CHECK(ep.send(bytes(long_one), 1s));
}

TEST_CASE("the link is lost with its control device, and all comes back with another", "[platform]")
{
    fake_bus here;
    std::string told;
    std::string states;
    rpmsg::endpoint ep{here.bus, [](rpmsg::message) {}, rpmsg::on_bound{[&] { told += "+"; }},
                       rpmsg::on_unbound{[&] { told += "-"; }}};
    rpmsg::endpoint waits{here.bus};  // for what never comes: so the bus looks again and again
    rpmsg::observer watch{
        here.bus, rpmsg::on_link{[&](link_state s) { states += std::to_string(static_cast<int>(s)); }}};
    REQUIRE(watch.open());
    REQUIRE(ep.open("rpmsg-echo"));
    REQUIRE(waits.open("never"));
    REQUIRE(ep.wait_bound(5s));
    auto stale = ep.try_acquire();
    REQUIRE(stale);
    here.bus.poll();
    CHECK(told == "+");

    here.remove();
    rpmsg::endpoint between{here.bus};  // opened before anybody noticed
    CHECK(between.open("rpmsg-echo"));
    REQUIRE(here.poll_until([&] { return told == "+-"; }));
    CHECK(here.bus.epoch() == 1);
    CHECK(here.bus.state() == link_state::negotiating);
    CHECK(std::move(stale).send(1).error() == errc::stale);
    CHECK(ep.try_send(bytes("x")).error() == errc::link_down);

    SECTION("of the same remote processor, whatever its virtio device is called now")
    {
        here.add("platform/remoteproc0/virtio7");
        REQUIRE(here.poll_until([&] { return told == "+-+"; }));
        CHECK(states == "12312");  // negotiating, up, lost, negotiating, up
    }
    SECTION("not of another one, which has its number now")
    {
        here.add("platform/remoteproc1/virtio0");
        CHECK(here.bus.wait_link(30ms).error() == errc::timed_out);
        CHECK(told == "+-");
    }
}

TEST_CASE("a bus is of the remote processor that was named", "[platform]")
{
    fake_rpmsg fake;
    fake.add_control(0, "platform/remoteproc0/virtio0");
    fake.add_node(0, "platform/remoteproc0/virtio0/virtio0.same.1.2", "same", 1, 2);
    fake.add_control(1, "platform/remoteproc1/virtio1");
    fake.add_node(1, "platform/remoteproc1/virtio1/virtio1.same.3.4", "same", 3, 4);
    const auto peer_on = [&](const char* on) {
        char_bus bus{{.on = on, .root = fake.root()}};
        rpmsg::endpoint ep{bus};
        REQUIRE(ep.open("same"));
        return ep.wait_bound(20ms) ? ep.peer().value() : 0;
    };
    CHECK(peer_on(nullptr) == 2);
    CHECK(peer_on("remoteproc0") == 2);
    CHECK(peer_on("remoteproc1") == 4);
    CHECK(peer_on("rpmsg_ctrl1") == 4);
    CHECK(peer_on("remoteproc") == 0);
}

TEST_CASE("what cannot be is refused by open(), and the endpoint is not open", "[platform]")
{
    fake_bus here{false};
    rpmsg::endpoint first{here.bus};
    rpmsg::endpoint second{here.bus};
    REQUIRE(first.open(address{30}));
    CHECK(second.open(address{30}, towards{1}).error() == errc::address_in_use);
    CHECK(second.open(address{53}).error() == errc::address_in_use);
    CHECK(second.open(address{0x8000'0000}).error() == errc::unsupported);
    REQUIRE(first.close());
    here.add();
    CHECK(second.open(address{31}, towards{1}).error() == errc::system);  // a plain file is no control device
    CHECK(errno == ENOTTY);
    CHECK(here.bus.refusal() == errc::system);
    CHECK_FALSE(second.is_open());
    CHECK(second.open("never"));
}

TEST_CASE("receivers may do what they like", "[platform]")
{
    fake_bus here;
    int ran = 0;
    SECTION("close their endpoint")
    {
        rpmsg::endpoint<char_bus, void, std::function<void(rpmsg::message)>>* self = nullptr;
        rpmsg::endpoint<char_bus, void, std::function<void(rpmsg::message)>> ep{
            here.bus, [&](rpmsg::message) {
                ++ran;
                CHECK(self->close());
                CHECK_FALSE(self->is_open());
            }};
        self = &ep;
        REQUIRE(ep.open("rpmsg-echo"));
        REQUIRE(ep.send(bytes("x"), 1s));
        CHECK(here.poll_until([&] { return ran == 1; }));
        CHECK(ep.send(bytes("x"), 1s).error() == errc::closed);
        CHECK(ep.open("rpmsg-echo"));  // and open it anew
    }
    SECTION("destroy it")
    {
        using endpoint = rpmsg::endpoint<char_bus, void, std::function<int(rpmsg::message)>>;
        auto ep = std::make_unique<std::optional<endpoint>>();
        ep->emplace(here.bus, [&ran, self = ep.get()](rpmsg::message) {
            auto& count = ran;
            self->reset();
            return ++count;
        });
        REQUIRE((*ep)->open("rpmsg-echo"));
        REQUIRE((*ep)->send(bytes("x"), 1s));
        CHECK(here.poll_until([&] { return ran == 1; }));
        CHECK_FALSE(ep->has_value());
        CHECK(here.bus.stats()[rpmsg::fault::reply_dropped] == 1);
        CHECK(here.bus.poll().handled == 0);
    }
    SECTION("destroy another's, and open one, when they are told something")
    {
        auto victim = std::make_unique<std::optional<rpmsg::endpoint<char_bus, void, rpmsg::no_receiver>>>();
        rpmsg::endpoint later{here.bus};
        rpmsg::endpoint ep{here.bus, [](rpmsg::message) {}, rpmsg::on_unbound{[&] {
                               ++ran;
                               victim->reset();
                               CHECK(later.open("never"));
                           }}};
        REQUIRE(ep.open("rpmsg-echo"));
        victim->emplace(here.bus);
        REQUIRE((*victim)->open("never"));
        REQUIRE(ep.wait_bound(1s));
        here.bus.poll();
        here.bus.stop();
        CHECK(ran == 1);
        CHECK(here.bus.state() == link_state::down);
        CHECK(later.is_open());
    }
    SECTION("close their observer")
    {
        rpmsg::observer<char_bus, rpmsg::on_link<std::function<void()>>>* self = nullptr;
        rpmsg::observer watch{here.bus, rpmsg::on_link<std::function<void()>>{[&] {
                                  ++ran;
                                  CHECK(self->close());
                              }}};
        self = &watch;
        REQUIRE(watch.open());
        CHECK(watch.open().error() == errc::already_open);
        CHECK(here.bus.wait_link(1s));
        CHECK(ran == 1);
        CHECK(watch.close().error() == errc::closed);
    }
    SECTION("stop the bus, poll it, and wait for what cannot come meanwhile")
    {
        rpmsg::endpoint ep{here.bus, [&](rpmsg::message) {
                               ++ran;
                               CHECK(here.bus.poll().handled == 0);
                               CHECK(here.bus.wait_link(1h));  // it is up
                               here.bus.stop();
                               CHECK(here.bus.state() == link_state::up);
                           }};
        rpmsg::endpoint other{here.bus};
        REQUIRE(ep.open("rpmsg-echo"));
        REQUIRE(ep.wait_bound(1s));
        REQUIRE(ep.send(bytes("x"), 1s));
        CHECK(here.poll_until([&] { return ran == 1; }));
        CHECK(here.bus.state() == link_state::down);
        CHECK_FALSE(ep.is_bound());
        CHECK(ep.is_open());
        CHECK(other.open("never"));
        CHECK(here.bus.wait_link(10ms).error() == errc::timed_out);
        here.bus.start();
        CHECK(here.bus.state() == link_state::up);
        CHECK(ep.wait_bound(1s));
    }
    SECTION("answer, and hold what they got")
    {
        std::vector<rpmsg::rx_buffer> kept;
        rpmsg::endpoint ep{here.bus, [&](rpmsg::rx_buffer in) -> std::uint32_t {
                               kept.push_back(std::move(in));
                               return static_cast<std::uint32_t>(++ran);
                           }};
        REQUIRE(ep.open("rpmsg-echo"));
        REQUIRE(ep.send(bytes("first"), 1s));
        CHECK(
            here.poll_until([&] { return ran >= 20 || (kept.clear(), false); }));  // it hears its own answers
        CHECK(here.bus.stats().total() == 0);
    }
}

TEST_CASE("a bus that ends closes its endpoints, and they may end after it", "[platform]")
{
    fake_rpmsg fake;
    auto bus = std::make_unique<char_bus>(char_place{.root = fake.root()});
    rpmsg::endpoint ep{*bus};
    rpmsg::observer watch{*bus, rpmsg::on_link{[](link_state) {}}};
    REQUIRE(ep.open("x"));
    REQUIRE(watch.open());
    bus.reset();
    CHECK_FALSE(watch.is_open());
}
