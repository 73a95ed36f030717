// The functions and callbacks of the RPMsg design (OpenAMP docs/rpmsg-design.md), each with what stands for
// it here, in both roles.

#include <rpmsg/rpmsg.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <chrono>
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
using namespace std::chrono_literals;

namespace {

/// A link that is up, with an endpoint at 30 here that is bound to one at 40 there. Both write down what
/// they hear as "destination<source:payload".
template <typename Role>
struct pair_of_endpoints {
    loopback<> link;
    std::string heard;
    std::function<void(message)> hear = [this](message m) {
        heard += std::to_string(m.destination().value()) + "<" + std::to_string(m.source().value()) + ":" +
                 text(m.payload()) + " ";
    };
    template <typename Bus>
    using endpoint_of = endpoint<typename Bus::basic, void, std::function<void(message)>>;
    endpoint_of<std::remove_cvref_t<decltype(Role::here(link))>> here{Role::here(link), hear};
    endpoint_of<std::remove_cvref_t<decltype(Role::there(link))>> there{Role::there(link), hear};
    endpoint_of<std::remove_cvref_t<decltype(Role::there(link))>> other{Role::there(link), hear};

    pair_of_endpoints()
    {
        manual_clock::set(0);
        CHECK(here.open(address{30}, towards{40}));
        CHECK(there.open(address{40}, towards{30}));
        CHECK(other.open(address{50}));
        link.run();
    }
    std::string after_a_run()
    {
        link.run();
        return std::exchange(heard, {});
    }
    /// Until there is no buffer.
    void fill()
    {
        while (here.try_send_to(address{99}, {})) {}
    }
};

void write(std::span<std::byte> where, std::string_view what)
{
    std::memcpy(where.data(), what.data(), what.size());
}

}  // namespace

// Bringing a link up and down

TEMPLATE_TEST_CASE("rpmsg_virtio_init_shm_pool: the driver's buffer_pool", "[design]", as_driver, as_device)
{
    loopback<> link;
    link.driver().stop();
    buffer_pool pool{.to_driver = link.pool().to_driver,
                     .to_device = link.pool().to_device,
                     .to_driver_size = 128,
                     .to_device_size = 256};
    driver_bus<loopback_board> driver{link.table(), pool, link.driver_models()};
    for (int i = 0; i != 4; ++i) {
        driver.poll();
        link.device().poll();
    }
    if constexpr (TestType::role == virtio::role::driver)
        CHECK(driver.max_payload() == 256 - 16);
    else
        CHECK(link.device().max_payload() == 128 - 16);
}

TEMPLATE_TEST_CASE("rpmsg_init_vdev: constructing a bus, and start()", "[design]", as_driver, as_device)
{
    loopback<> link;
    CHECK(TestType::here(link).state() == link_state::down);
    TestType::here(link).start();
    CHECK(TestType::here(link).state() != link_state::down);
    CHECK(TestType::here(link).wait_link(10ms));
}

TEMPLATE_TEST_CASE("rpmsg_init_vdev_with_config: sizes by direction in the pool", "[design]", as_driver,
                   as_device)
{
    loopback<> link{{.to_driver_size = 64, .to_device_size = 1024}};
    link.run();
    CHECK(TestType::here(link).max_payload() == (TestType::role == virtio::role::driver ? 1008 : 48));
}

TEMPLATE_TEST_CASE("rpmsg_deinit_vdev: stop(), or destroying the bus", "[design]", as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    TestType::here(p.link).stop();
    CHECK(TestType::here(p.link).state() == link_state::down);
    CHECK_FALSE(p.here.is_bound());

    // And it can be brought up again.
    p.link.driver().stop();
    p.link.run();
    p.link.driver().start();
    p.link.device().start();
    p.link.run();
    CHECK(p.here.is_bound());
    CHECK(p.there.is_bound());
}

TEMPLATE_TEST_CASE("rpmsg_virtio_get_rpmsg_device: the bus is both", "[design]", as_driver, as_device)
{
    loopback<> link;
    auto& bus = TestType::here(link);
    endpoint e{bus};  // the virtio device is what endpoints are made on
    CHECK(e.open(address{1}));
    link.run();
    CHECK(bus.state() == link_state::up);
}

// Endpoints

TEMPLATE_TEST_CASE("rpmsg_create_ept: endpoint::open", "[design]", as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    endpoint dynamic{here};
    endpoint chosen{here};
    endpoint fixed{here};
    CHECK(dynamic.open("service"));                 // src and dest any
    CHECK(chosen.open("service-2", address{100}));  // src given
    CHECK(fixed.open(address{101}, towards{102}));  // both given
    CHECK(dynamic.local() == address{1024});
    CHECK(chosen.local() == address{100});
    CHECK(fixed.peer() == address{102});
}

TEMPLATE_TEST_CASE("rpmsg_destroy_ept: endpoint::close, or its destructor", "[design]", as_driver, as_device)
{
    loopback<> link;
    ear there{TestType::there(link)};
    {
        endpoint a{TestType::here(link)};
        endpoint b{TestType::here(link)};
        REQUIRE((a.open("a") && b.open("b")));
        link.run();
        there.take();
        CHECK(a.close());
        link.run();
        CHECK(there.take() == std::vector<std::string>{"-a@1024"});
    }
    link.run();
    CHECK(there.take() == std::vector<std::string>{"-b@1025"});
}

TEMPLATE_TEST_CASE("is_rpmsg_ept_ready: endpoint::is_bound", "[design]", as_driver, as_device)
{
    loopback<> link;
    endpoint here{TestType::here(link)};
    endpoint there{TestType::there(link)};
    REQUIRE(here.open("service"));
    CHECK_FALSE(here.is_bound());
    link.run();
    CHECK_FALSE(here.is_bound());
    REQUIRE(there.open("service"));
    link.run();
    CHECK(here.is_bound());
    link.driver().stop();
    link.run();
    CHECK_FALSE(here.is_bound());
}

// Sending a copy

TEMPLATE_TEST_CASE("rpmsg_send: endpoint::send", "[design]", as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    CHECK(p.here.send(bytes("x"), 10ms));
    CHECK(p.after_a_run() == "40<30:x ");
    p.fill();
    CHECK(p.here.send(bytes("waited"), 10ms));
    CHECK(p.after_a_run() == "40<30:waited ");
}

TEMPLATE_TEST_CASE("rpmsg_sendto: endpoint::send_to", "[design]", as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    CHECK(p.here.send_to(address{50}, bytes("x"), 10ms));
    CHECK(p.after_a_run() == "50<30:x ");
    p.fill();
    CHECK(p.here.send_to(address{50}, bytes("waited"), 10ms));
    CHECK(p.after_a_run() == "50<30:waited ");
}

TEMPLATE_TEST_CASE("rpmsg_send_offchannel: endpoint::send_from", "[design]", as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    CHECK(p.here.send_from(address{31}, address{50}, bytes("x"), 10ms));
    CHECK(p.after_a_run() == "50<31:x ");
    p.fill();
    CHECK(p.here.send_from(address{31}, address{50}, bytes("waited"), 10ms));
    CHECK(p.after_a_run() == "50<31:waited ");
}

TEMPLATE_TEST_CASE("rpmsg_trysend: endpoint::try_send", "[design]", as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    CHECK(p.here.try_send(bytes("x")));
    CHECK(p.after_a_run() == "40<30:x ");
    p.fill();
    CHECK(p.here.try_send(bytes("x")).error() == errc::full);
    CHECK(p.after_a_run().empty());
}

TEMPLATE_TEST_CASE("rpmsg_trysendto: endpoint::try_send_to", "[design]", as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    CHECK(p.here.try_send_to(address{50}, bytes("x")));
    CHECK(p.after_a_run() == "50<30:x ");
    p.fill();
    CHECK(p.here.try_send_to(address{50}, bytes("x")).error() == errc::full);
}

TEMPLATE_TEST_CASE("rpmsg_trysend_offchannel: endpoint::try_send_from", "[design]", as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    CHECK(p.here.try_send_from(address{31}, address{50}, bytes("x")));
    CHECK(p.after_a_run() == "50<31:x ");
    p.fill();
    CHECK(p.here.try_send_from(address{31}, address{50}, bytes("x")).error() == errc::full);
}

// Receive buffers

TEMPLATE_TEST_CASE("rpmsg_hold_rx_buffer: taking an rx_buffer, or message::hold()", "[design]", as_driver,
                   as_device)
{
    loopback<> link;
    rx_buffer taken;
    rx_buffer held;
    endpoint takes{TestType::here(link), [&](rx_buffer b) { taken = std::move(b); }};
    endpoint holds{TestType::here(link), [&](message m) { held = m.hold(); }};
    endpoint out{TestType::there(link)};
    REQUIRE((takes.open(address{1}) && holds.open(address{2}) && out.open(address{3})));
    link.run();
    REQUIRE(out.try_send_to(address{1}, bytes("taken")));
    REQUIRE(out.try_send_to(address{2}, bytes("held")));
    link.run();
    CHECK(text(taken.payload()) == "taken");
    CHECK(text(held.payload()) == "held");
    CHECK(link.holds(held.payload().data()));
}

TEMPLATE_TEST_CASE("rpmsg_release_rx_buffer: the rx_buffer's destructor, or release()", "[design]", as_driver,
                   as_device)
{
    loopback<> link;
    std::vector<rx_buffer> kept;
    endpoint in{TestType::here(link), [&](rx_buffer b) { kept.push_back(std::move(b)); }};
    endpoint out{TestType::there(link)};
    REQUIRE((in.open(address{1}) && out.open(address{2}, towards{1})));
    link.run();
    for (int i = 0; i != 16; ++i)
        REQUIRE(out.try_send({}));
    link.run();
    CHECK(out.try_send({}).error() == errc::full);
    kept.pop_back();
    CHECK(out.try_send({}));
    kept[0].release();
    CHECK(out.try_send({}));
    CHECK(out.try_send({}).error() == errc::full);
}

// Transmit buffers

TEMPLATE_TEST_CASE("rpmsg_get_tx_payload_buffer: endpoint::acquire and try_acquire", "[design][nocopy]",
                   as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    {
        const auto now = p.here.try_acquire();
        REQUIRE(now);
        CHECK(now.payload().size() == TestType::here(p.link).max_payload());
        CHECK(p.link.holds(now.payload().data()));
    }
    p.fill();
    CHECK(p.here.try_acquire().error() == errc::full);
    CHECK(p.here.acquire(10ms));  // waits
}

TEMPLATE_TEST_CASE("rpmsg_send_nocopy: tx_buffer::send", "[design][nocopy]", as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    auto slot = p.here.try_acquire();
    write(slot.payload(), "x");
    CHECK(std::move(slot).send(1));
    CHECK(p.after_a_run() == "40<30:x ");
}

TEMPLATE_TEST_CASE("rpmsg_sendto_nocopy: tx_buffer::send_to", "[design][nocopy]", as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    auto slot = p.here.try_acquire();
    write(slot.payload(), "x");
    CHECK(std::move(slot).send_to(address{50}, 1));
    CHECK(p.after_a_run() == "50<30:x ");
}

TEMPLATE_TEST_CASE("rpmsg_send_offchannel_nocopy: tx_buffer::send_from", "[design][nocopy]", as_driver,
                   as_device)
{
    pair_of_endpoints<TestType> p;
    auto slot = p.here.try_acquire();
    write(slot.payload(), "x");
    CHECK(std::move(slot).send_from(address{31}, address{50}, 1));
    CHECK(p.after_a_run() == "50<31:x ");
}

TEMPLATE_TEST_CASE("rpmsg_release_tx_buffer: the tx_buffer's destructor, or drop()", "[design][nocopy]",
                   as_driver, as_device)
{
    pair_of_endpoints<TestType> p;
    for (int i = 0; i != 100; ++i) {
        auto slot = p.here.try_acquire();
        REQUIRE(slot);
        if (i % 2 == 0)
            slot.drop();
    }
    CHECK(p.after_a_run().empty());
}

// Callbacks

TEMPLATE_TEST_CASE("rpmsg_ept_cb: the receiver", "[design]", as_driver, as_device)
{
    loopback<> link;
    std::string heard;
    address from;
    endpoint in{TestType::here(link), [&](std::span<const std::byte> payload, address source) {
                    heard = text(payload);
                    from = source;
                }};
    endpoint out{TestType::there(link)};
    REQUIRE((in.open(address{1}) && out.open(address{2}, towards{1})));
    link.run();
    REQUIRE(out.try_send(bytes("data")));
    link.run();
    CHECK(heard == "data");
    CHECK(from == address{2});
}

TEMPLATE_TEST_CASE("rpmsg_ns_bind_cb of the device: on_announced of the bus", "[design]", as_driver,
                   as_device)
{
    loopback<> link;
    std::optional<announcement> news;
    observer watch{TestType::here(link), on_announced{[&](const announcement& a) { news = a; }}};
    REQUIRE(watch.open());
    endpoint waits{TestType::here(link)};
    endpoint a{TestType::there(link)};
    endpoint b{TestType::there(link)};
    REQUIRE(waits.open("awaited"));
    REQUIRE(a.open("awaited"));
    link.run();
    CHECK_FALSE(news);  // an endpoint here was bound to it
    REQUIRE(b.open("service"));
    link.run();
    REQUIRE(news);
    CHECK(news->name() == "service");
    CHECK(news->address() == b.local());
}

TEMPLATE_TEST_CASE("rpmsg_ns_unbind_cb of the device: on_withdrawn of the bus", "[design]", as_driver,
                   as_device)
{
    loopback<> link;
    std::optional<announcement> news;
    observer watch{TestType::here(link), on_withdrawn{[&](const announcement& a) { news = a; }}};
    REQUIRE(watch.open());
    endpoint a{TestType::there(link)};
    REQUIRE(a.open("service"));
    link.run();
    const auto where = a.local();
    REQUIRE(a.close());
    link.run();
    REQUIRE(news);
    CHECK(news->name() == "service");
    CHECK(news->address() == where);
    CHECK(news->news() == channel_news::went);
}

TEMPLATE_TEST_CASE("rpmsg_ns_unbind_cb of the endpoint: on_unbound, and on_bound before it", "[design]",
                   as_driver, as_device)
{
    loopback<> link;
    std::vector<std::string> told;
    endpoint here{TestType::here(link), [](message) {},
                  on_bound{[&](address a) { told.push_back("bound " + std::to_string(a.value())); }},
                  on_unbound{[&](address a) { told.push_back("unbound " + std::to_string(a.value())); }}};
    endpoint there{TestType::there(link)};
    REQUIRE((here.open("service") && there.open("service")));
    link.run();
    CHECK(told == std::vector<std::string>{"bound 1024"});
    REQUIRE(there.close());
    link.run();
    CHECK(told == std::vector<std::string>{"bound 1024", "unbound 1024"});
}

// Sizes

TEMPLATE_TEST_CASE("rpmsg_virtio_get_buffer_size and its kind: max_payload()", "[design]", as_driver,
                   as_device)
{
    loopback<> link{{.to_driver_size = 200, .to_device_size = 300}};
    auto& here = TestType::here(link);
    CHECK(here.max_payload() == 0);
    link.run();
    CHECK(here.max_payload() == (TestType::role == virtio::role::driver ? 300 - 16 : 200 - 16));
    // A property of the link: not "none" when there is no buffer just now.
    endpoint out{here};
    REQUIRE(out.open(address{1}, towards{2}));
    while (out.try_send({})) {}
    CHECK(here.max_payload() == (TestType::role == virtio::role::driver ? 300 - 16 : 200 - 16));
}
