// What stands here for OpenAMP's functions that make endpoints, and for its callbacks. docs/from-openamp.md shows what
// is between `// snippet:` and `// end`.

#include <rpmsg/rpmsg.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;

TEST_CASE("rpmsg_create_ept, RPMSG_ADDR_ANY, struct rpmsg_endpoint: endpoint::open", "[docs]")
{
    loopback<> link;
    auto& bus = link.device();
    const auto receive = [](rpmsg::message) {};
    // snippet: opening-an-endpoint
    rpmsg::endpoint any{bus, receive}, chosen{bus, receive}, fixed{bus, receive}, client{bus, receive};
    const bool opened = any.open("service") &&                                   // src and dest any
                        chosen.open("service-2", rpmsg::address{100}) &&         // src given
                        fixed.open(rpmsg::address{101}, rpmsg::towards{102}) &&  // both given: not announced
                        client.open(rpmsg::towards{1024});                       // dest given: the same
    // end
    CHECK(opened);
    CHECK(any.local() == rpmsg::address{1024});
    CHECK(chosen.local() == rpmsg::address{100});
    CHECK(fixed.local() == rpmsg::address{101});
    CHECK(fixed.peer() == rpmsg::address{102});
    CHECK(client.local() == rpmsg::address{1025});
    ear there{link.driver()};
    REQUIRE(link.run());
    CHECK(there.take() == std::vector<std::string>{"+service@1024", "+service-2@100"});
}

TEST_CASE("RPMSG_RESERVED_ADDRESSES, RPMSG_ADDR_BMP_SIZE, RPMSG_NS_EPT_ADDR: any 32-bit address, once",
          "[docs]")
{
    loopback<> link;
    rpmsg::endpoint first{link.device()};
    rpmsg::endpoint second{link.device()};
    rpmsg::endpoint third{link.device()};
    REQUIRE(first.open(rpmsg::address{100}));
    // snippet: addresses
    const auto twice = second.open(rpmsg::address{100}).error();             // errc::address_in_use
    const auto reserved = second.open(rpmsg::name_service_address).error();  // 0x35: the same
    const auto high = second.open(rpmsg::address{0x8000'0000});              // any but 0xFFFFFFFF
    // end
    CHECK(twice == rpmsg::errc::address_in_use);
    CHECK(reserved == rpmsg::errc::address_in_use);
    CHECK(high);
    CHECK(second.local() == rpmsg::address{0x8000'0000});
    // As many as there is memory for, where OpenAMP has 128.
    std::vector<std::unique_ptr<decltype(rpmsg::endpoint{link.device()})>> many;
    for (int i = 0; i != 200; ++i) {
        many.push_back(std::make_unique<decltype(rpmsg::endpoint{link.device()})>(link.device()));
        REQUIRE(many.back()->open(rpmsg::towards{1}));
    }
    CHECK(many.back()->local() == rpmsg::address{1024 + 199});
}

TEST_CASE("RPMSG_NAME_SIZE: a name is checked, and never cut", "[docs]")
{
    const std::string setting(32, 'x');  // lives as long as the program would
    const auto* const from_settings = setting.c_str();
    // snippet: names
    constexpr rpmsg::name known{"rpmsg-openamp-demo-channel"};  // 32 characters do not compile
    const auto read = rpmsg::name::from_static(from_settings);  // errc::name_too_long
    // end
    CHECK(known.c_str() == std::string{"rpmsg-openamp-demo-channel"});
    CHECK(read.error() == rpmsg::errc::name_too_long);
    CHECK(rpmsg::name::from_static(from_settings + 1));
}

TEST_CASE("rpmsg_destroy_ept, rpmsg_ept_release_cb: endpoint::close, or its destructor", "[docs]")
{
    loopback<> link;
    auto& bus = link.device();
    ear there{link.driver()};
    const auto receive = [](rpmsg::message) {};
    bool opened = false;
    bool closed = false;
    REQUIRE(link.run());
    // snippet: closing-an-endpoint
    {
        rpmsg::endpoint service{bus, receive};
        opened = service.open("service").has_value();
        closed = service.close().has_value();  // withdrawn; when this returns, no receiver runs
        opened = opened && service.open("service");
    }  // its destructor closes it, if nobody did
    // end
    CHECK(opened);
    CHECK(closed);
    REQUIRE(link.run());
    CHECK(there.take() ==
          std::vector<std::string>{"+service@1024", "-service@1024", "+service@1025", "-service@1025"});
    rpmsg::endpoint twice{bus};
    REQUIRE((twice.open("twice") && twice.close()));
    CHECK(twice.close().error() == rpmsg::errc::closed);
}

TEST_CASE("is_rpmsg_ept_ready: is_bound() and wait_bound()", "[docs]")
{
    manual_clock::set(0);
    loopback<> link;
    rpmsg::endpoint service{link.driver()};
    rpmsg::endpoint client{link.device()};
    REQUIRE(client.open("service"));
    bool alone = false;
    // snippet: ready-to-send
    if (!client.wait_bound(100ms))  // polls, and sleeps as the board does
        alone = !client.is_bound();
    // end
    CHECK(alone);
    REQUIRE(service.open("service"));
    CHECK(client.wait_bound(100ms));
    CHECK(client.is_bound());
    link.driver().stop();
    link.device().poll();
    CHECK_FALSE(client.is_bound());  // bound and up: both
}

TEST_CASE("rpmsg_ept_cb, rpmsg_endpoint.priv: the receiver and what it captures", "[docs]")
{
    loopback<> link;
    auto& bus = link.device();
    std::string answer;
    // snippet: the-receiver
    int messages = 0;  // in place of ept->priv
    rpmsg::endpoint service{bus, [&](rpmsg::message in, rpmsg::address /*from*/) {
                                ++messages;
                                return in.payload();  // the reply, to whoever sent it; or void: none
                            }};
    // end
    rpmsg::endpoint client{link.driver(), [&](std::span<const std::byte> reply) { answer = text(reply); }};
    REQUIRE((service.open(rpmsg::address{1}) && client.open(rpmsg::towards{1}) && link.run()));
    REQUIRE((client.try_send(bytes("echo")) && link.run()));
    CHECK(messages == 1);
    CHECK(answer == "echo");
}

TEST_CASE("rpmsg_ns_bind_cb, rpmsg_device.ns_unbind_cb: an observer of the bus", "[docs]")
{
    loopback<> link;
    auto& bus = link.driver();
    std::vector<std::string> gone;
    // snippet: channels-that-come-and-go
    rpmsg::endpoint client{bus};
    rpmsg::observer watch{
        bus, rpmsg::on_announced{[&](const rpmsg::announcement& a) {
            if (a.name() == "service")  // bounded, whatever the peer wrote
                static_cast<void>(client.open(rpmsg::towards{a.address()}));
        }},
        rpmsg::on_withdrawn{[&](const rpmsg::announcement& a) { gone.emplace_back(a.name()); }}};
    const bool listens = watch.open().has_value();
    // end
    rpmsg::endpoint service{link.device()};
    REQUIRE((listens && service.open("service") && link.run()));
    CHECK(client.peer() == rpmsg::address{1024});
    REQUIRE((service.close() && link.run()));
    CHECK(gone == std::vector<std::string>{"service"});
}

TEST_CASE("rpmsg_ns_unbind_cb: on_unbound of the endpoint, and on_bound before it", "[docs]")
{
    loopback<> link;
    auto& bus = link.device();
    bool there_is_somebody = false;
    // snippet: bound-and-unbound
    rpmsg::endpoint service{bus, [](rpmsg::message) {}, rpmsg::on_bound{[&] { there_is_somebody = true; }},
                            rpmsg::on_unbound{[&] { there_is_somebody = false; }}};
    // end
    rpmsg::endpoint client{link.driver()};
    REQUIRE((service.open("service") && client.open("service") && link.run()));
    CHECK(there_is_somebody);
    SECTION("the peer withdraws it") { REQUIRE(client.close()); }
    SECTION("the link is lost") { link.driver().stop(); }
    REQUIRE(link.run());
    CHECK_FALSE(there_is_somebody);
}
