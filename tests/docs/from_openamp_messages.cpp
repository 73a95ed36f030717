// What stands here for OpenAMP's functions that send and receive. docs/from-openamp.md shows what is between
// `// snippet:` and `// end`.

#include <rpmsg/rpmsg.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;

namespace {

/// A link that is up, and what its other end hears, as "destination<source:payload".
struct a_link {
    loopback<> link;
    std::string heard;
    static constexpr auto hear = [](std::string& into) {
        return [&into](rpmsg::message in) {
            into += std::to_string(in.destination().value()) + "<" + std::to_string(in.source().value()) +
                    ":" + text(in.payload()) + " ";
        };
    };
    using listener = decltype(rpmsg::endpoint{link.driver(), hear(heard)});
    listener peer{link.driver(), hear(heard)};
    listener other{link.driver(), hear(heard)};

    a_link()
    {
        manual_clock::set(0);
        REQUIRE((peer.open(rpmsg::address{40}, rpmsg::towards{30}) && other.open(rpmsg::address{50})));
        REQUIRE(link.run());
    }
    std::string after_a_run()
    {
        REQUIRE(link.run());
        return std::exchange(heard, {});
    }
};

}  // namespace

TEST_CASE("rpmsg_send, rpmsg_sendto, rpmsg_send_offchannel: send, send_to, send_from", "[docs]")
{
    a_link l;
    rpmsg::endpoint ept{l.link.device()};
    REQUIRE(ept.open(rpmsg::address{30}, rpmsg::towards{40}));
    const auto data = bytes("x");
    const auto dst = rpmsg::address{50};
    const auto src = rpmsg::address{31};
    // snippet: sending-a-copy
    const bool sent = ept.send(data, 100ms) &&               // to its peer; waits 100 ms at most
                      ept.send_to(dst, data, 100ms) &&       // to another one's address
                      ept.send_from(src, dst, data, 100ms);  // in another one's name
    // end
    CHECK(sent);
    CHECK(l.after_a_run() == "40<30:x 50<30:x 50<31:x ");
}

TEST_CASE("rpmsg_trysend and its kind, rpmsg_send_offchannel_raw: the try forms", "[docs]")
{
    a_link l;
    rpmsg::endpoint ept{l.link.device()};
    REQUIRE(ept.open(rpmsg::address{30}, rpmsg::towards{40}));
    const auto data = bytes("x");
    const auto dst = rpmsg::address{50};
    const auto src = rpmsg::address{31};
    // snippet: sending-without-waiting
    const bool sent = ept.try_send(data) && ept.try_send_to(dst, data) && ept.try_send_from(src, dst, data);
    while (ept.try_send(data)) {}
    const auto why = ept.try_send(data).error();  // errc::full: go on when on_tx_ready says so
    // end
    CHECK(sent);
    CHECK(why == rpmsg::errc::full);
    CHECK(l.after_a_run().starts_with("40<30:x 50<30:x 50<31:x "));
    CHECK(ept.try_send(data));
}

TEST_CASE("RPMSG_ERR_BUFF_SIZE: too long is an error, and nothing is cut", "[docs]")
{
    a_link l;
    auto& bus = l.link.device();
    rpmsg::endpoint ept{bus};
    REQUIRE(ept.open(rpmsg::address{30}, rpmsg::towards{40}));
    const std::string much(497, 'x');
    const auto data = bytes(much);
    // snippet: too-long
    auto sent = ept.send(data, 100ms);  // errc::too_long: nothing was sent
    const auto why = sent.error();
    if (why == rpmsg::errc::too_long)
        sent = ept.send(data.first(bus.max_payload()), 100ms);  // who wants to cut says so
    // end
    CHECK(why == rpmsg::errc::too_long);
    CHECK(sent);
    CHECK(l.after_a_run() == "40<30:" + much.substr(0, 496) + " ");
}

TEST_CASE("RPMSG_SUCCESS, RPMSG_ERR_NO_BUFF and their kind: result and errc", "[docs]")
{
    loopback<> link;
    rpmsg::endpoint ept{link.device()};
    const auto data = bytes("x");
    std::string say;
    const auto attempt = [&] {
        // snippet: errors
        if (const auto sent = ept.try_send(data); sent)  // [[nodiscard]]: it has to be looked at
            say = "sent";
        else if (sent.error() == rpmsg::errc::full)
            say = "the peer's move: later";
        else if (sent.error() == rpmsg::errc::not_bound || sent.error() == rpmsg::errc::link_down)
            say = "wait for on_bound";
        else
            say = "ours";  // closed, too_long, bad_address: the enumerator's comment says whose move it is
        // end
        return std::exchange(say, {});
    };
    CHECK(attempt() == "ours");
    REQUIRE(ept.open("service"));
    CHECK(attempt() == "wait for on_bound");
    REQUIRE(link.run());
    CHECK(attempt() == "wait for on_bound");
    rpmsg::endpoint service{link.driver()};
    REQUIRE((service.open("service") && link.run()));
    CHECK(attempt() == "sent");
    while (ept.try_send(data)) {}
    CHECK(attempt() == "the peer's move: later");
}

TEST_CASE("rpmsg_get_tx_payload_buffer, rpmsg_send_nocopy and its kind: acquire, tx_buffer::send", "[docs]")
{
    a_link l;
    rpmsg::endpoint ept{l.link.device()};
    REQUIRE(ept.open(rpmsg::address{30}, rpmsg::towards{40}));
    const auto dst = rpmsg::address{50};
    const auto src = rpmsg::address{31};
    const auto fill = [](std::span<std::byte> where) {
        where[0] = std::byte{'x'};
        return std::size_t{1};
    };
    std::array<bool, 3> sent{};
    // snippet: sending-in-place
    if (auto slot = ept.acquire(100ms)) {  // or try_acquire(), which never waits
        const auto length = fill(slot.payload());
        sent[0] = std::move(slot).send(length).has_value();  // consumes it; sending twice does not compile
    }
    if (auto slot = ept.try_acquire())
        sent[1] = std::move(slot).send_to(dst, fill(slot.payload())).has_value();
    if (auto slot = ept.try_acquire())
        sent[2] = std::move(slot).send_from(src, dst, fill(slot.payload())).has_value();
    // end
    CHECK((sent[0] && sent[1] && sent[2]));
    CHECK(l.after_a_run() == "40<30:x 50<30:x 50<31:x ");

    auto slot = ept.try_acquire();
    REQUIRE(l.link.holds(slot.payload().data()));
    CHECK(std::move(slot).send(slot.payload().size() + 1).error() == rpmsg::errc::too_long);
    CHECK(std::move(slot).send(0));
    CHECK(std::move(slot).send(0).error() ==
          rpmsg::errc::stale);  // NOLINT(bugprone-use-after-move): that it is
    CHECK(l.after_a_run() == "40<30: ");
}

TEST_CASE("rpmsg_release_tx_buffer: the tx_buffer's destructor, or drop()", "[docs]")
{
    a_link l;
    rpmsg::endpoint ept{l.link.device()};
    REQUIRE(ept.open(rpmsg::address{30}, rpmsg::towards{40}));
    const bool anything_to_say = false;
    for (int i = 0; i != 100; ++i) {
        REQUIRE(ept.try_acquire());
        // snippet: not-sending-after-all
        if (auto slot = ept.try_acquire(); slot && !anything_to_say)
            slot.drop();  // or nothing: its destructor does
        // end
    }
    CHECK(l.after_a_run().empty());
}

TEST_CASE("rpmsg_hold_rx_buffer, rpmsg_release_rx_buffer: rx_buffer", "[docs]")
{
    loopback<> link;
    auto& bus = link.device();
    // snippet: keeping-a-received-buffer
    std::vector<rpmsg::rx_buffer> kept;
    rpmsg::endpoint frames{bus,
                           [&](rpmsg::rx_buffer in) { kept.push_back(std::move(in)); }};  // that is the hold
    rpmsg::endpoint log{bus, [&](rpmsg::message in) {
                            if (in.size() > 1)
                                kept.push_back(in.hold());  // or when it turns out so
                        }};
    // end
    rpmsg::endpoint out{link.driver()};
    REQUIRE((frames.open(rpmsg::address{1}) && log.open(rpmsg::address{2}) && out.open(rpmsg::address{3})));
    REQUIRE(link.run());
    for (const auto* const payload : {"a", "bb"}) {
        REQUIRE(out.try_send_to(rpmsg::address{1}, bytes(payload)));
        REQUIRE(out.try_send_to(rpmsg::address{2}, bytes(payload)));
    }
    REQUIRE(link.run());
    REQUIRE(kept.size() == 3);
    // snippet: giving-it-back
    kept.back().release();  // in any order; once or twice
    kept.clear();           // or by its destructor
    // end
    int sent = 0;
    while (out.try_send_to(rpmsg::address{2}, {}))
        ++sent;
    CHECK(sent == 16);  // all of them are back
}

TEST_CASE("rpmsg_get_tx_buffer_size and its kind: max_payload()", "[docs]")
{
    loopback<> link{{.to_driver_size = 200, .to_device_size = 300}};
    auto& bus = link.device();
    REQUIRE(link.run());
    std::size_t received = 0;
    // snippet: sizes
    const auto room = bus.max_payload();  // of the link, whether a buffer is free or not; 0: no link
    rpmsg::endpoint in{bus, [&](rpmsg::message m) { received = m.size(); }};  // each message says its own
    // end
    CHECK(room == 200 - 16);
    rpmsg::endpoint out{link.driver()};
    REQUIRE((in.open(rpmsg::address{1}) && out.open(rpmsg::towards{1})));
    REQUIRE((out.try_send(std::array<std::byte, 284>{}) && link.run()));
    CHECK(received == 284);
    while (in.try_send_to(rpmsg::address{2}, {})) {}
    CHECK(bus.max_payload() == 200 - 16);
}

TEST_CASE("rpmsg_virtio_notify_wait_cb: a deadline, and the board's wait", "[docs]")
{
    loopback<> link;
    auto& bus = link.device();
    rpmsg::endpoint ept{bus};
    REQUIRE((ept.open(rpmsg::address{30}, rpmsg::towards{40}) && link.run()));
    const auto data = bytes("x");
    manual_clock::set(0);
    // snippet: waiting
    const decltype(ept)::deadline until{50ms};               // bounds all three together
    const bool up = bus.wait_link(until).has_value();        // these two poll meanwhile,
    const auto bound = ept.wait_bound(until);                // so receivers run
    const bool sent = up && bound && ept.send(data, until);  // this one sleeps until there is a buffer
    // end
    CHECK(sent);
    while (ept.try_send(data)) {}
    manual_clock::set(0);
    CHECK(ept.send(data, 50ms));  // woken: the peer gave buffers back
    CHECK(manual_clock::now() == 0);
}
