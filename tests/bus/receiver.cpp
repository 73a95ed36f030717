#include <rpmsg/bus/receiver.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;

namespace {

struct sample {
    std::uint32_t when;
    std::array<std::int16_t, 2> axis;
};
struct sixty_four {
    std::array<std::uint32_t, 16> all;
};
struct matrix {
    std::array<float, 36> all;
};
struct alignas(8) wide {
    std::uint64_t value;
};

// What a receiver is called with, and whether it has a result, is known when it is compiled.
template <typename Payload, typename Receiver>
constexpr bool replies(Receiver)
{
    return receiver_call<Payload, Receiver>::replies();
}

static_assert(!replies<void>([](message) {}));
static_assert(!replies<void>([](rx_buffer, address) {}));
static_assert(replies<void>([](message m) { return m.payload(); }));
static_assert(replies<void>([](std::span<const std::byte>) { return std::uint32_t{}; }));
static_assert(replies<void>([](rx_buffer) { return std::uint8_t{}; }));
static_assert(replies<sample>([](const sample& s) { return s; }));
static_assert(replies<sample>([](in_place<const sample&>, address) { return std::uint16_t{}; }));
static_assert(!replies<sample>([](const sample&) {}));
static_assert(!receiver_call<void, no_receiver>::replies());

/// A link whose driver sends to 1 on the device's side.
struct sending_link {
    loopback<> link;
    endpoint<driver_bus<loopback_board>::basic, void, no_receiver> out{link.driver()};

    sending_link()
    {
        CHECK(out.open(address{0x77}, towards{1}));
        link.run();
    }
    template <typename T>
    void send(const T& value)
    {
        CHECK(out.try_send(std::as_bytes(std::span{&value, 1})));
        link.run();
    }
};

std::string heard_by_function;
void receive(message m) { heard_by_function = text(m.payload()); }

}  // namespace

TEST_CASE("a receiver takes a message, bytes or a buffer, and the sender if it likes", "[bus]")
{
    sending_link l;
    auto& device = l.link.device();
    std::string heard;
    address from;

    const auto hear = [&](auto& in) {
        REQUIRE(in.open(address{1}));
        REQUIRE(l.out.try_send(bytes("bytes")));
        l.link.run();
        CHECK(heard == "bytes");
    };
    SECTION("(message)")
    {
        endpoint in{device, [&](message m) { heard = text(m.payload()); }};
        hear(in);
    }
    SECTION("(message, address)")
    {
        endpoint in{device, [&](message m, address a) { heard = text(m.payload()), from = a; }};
        hear(in);
        CHECK(from == address{0x77});
    }
    SECTION("(span)")
    {
        endpoint in{device, [&](std::span<const std::byte> p) { heard = text(p); }};
        hear(in);
    }
    SECTION("(span, address)")
    {
        endpoint in{device, [&](std::span<const std::byte> p, address a) { heard = text(p), from = a; }};
        hear(in);
        CHECK(from == address{0x77});
    }
    SECTION("(rx_buffer)")
    {
        endpoint in{device, [&](rx_buffer b) { heard = text(b.payload()); }};
        hear(in);
    }
    SECTION("(rx_buffer, address)")
    {
        endpoint in{device, [&](rx_buffer b, address a) { heard = text(b.payload()), from = a; }};
        hear(in);
        CHECK(from == address{0x77});
    }
    SECTION("anything that can be called: a function")
    {
        endpoint in{device, receive};
        REQUIRE(in.open(address{1}));
        REQUIRE(l.out.try_send(bytes("f")));
        l.link.run();
        CHECK(heard_by_function == "f");
    }
    SECTION("anything that can be called: an object with state of its own")
    {
        struct counter {
            std::string* out;
            int calls = 0;
            void operator()(const message& m)
            {
                ++calls;
                *out = text(m.payload());
            }
        };
        endpoint in{device, counter{&heard}};
        hear(in);
    }
    SECTION("what takes anything gets the message")
    {
        endpoint in{device, [&](auto m) { heard = text(m.payload()); }};
        hear(in);
    }
}

TEST_CASE("a received T is a private copy", "[bus][rule1]")
{
    sending_link l;
    sample got{};
    address from;
    bool shared = true;
    endpoint in{l.link.device(), typed<sample>, [&](const sample& s, address a) {
                    shared = l.link.holds(&s);
                    // A peer that rewrites its buffer now changes nothing.
                    const auto where = l.link.buffer(policy::vring_id::to_device, 0);
                    std::memset(where.data() + 16, 0xFF, sizeof(sample));
                    got = s;
                    from = a;
                }};
    REQUIRE(in.open(address{1}));
    l.send(sample{7, {1, -2}});
    CHECK_FALSE(shared);
    CHECK(got.when == 7);
    CHECK(got.axis[1] == -2);
    CHECK(from == address{0x77});
}

TEST_CASE("a received T of 64 bytes is still copied", "[bus]")
{
    sending_link l;
    std::uint32_t last = 0;
    endpoint in{l.link.device(), typed<sixty_four>, [&](const sixty_four& s) { last = s.all[15]; }};
    REQUIRE(in.open(address{1}));
    sixty_four sent{};
    sent.all[15] = 9;
    l.send(sent);
    CHECK(last == 9);
}

TEST_CASE("in_place is the received T where it lies", "[bus][nocopy]")
{
    sending_link l;
    float last = 0;
    bool shared = false;
    endpoint in{l.link.device(), typed<matrix>, [&](in_place<const matrix&> m) {
                    shared = l.link.holds(&*m);
                    last = m->all[35];
                }};
    REQUIRE(in.open(address{1}));
    matrix sent{};
    sent.all[35] = 2.5F;
    l.send(sent);
    CHECK(shared);
    CHECK(last == 2.5F);
}

TEST_CASE("a payload that is no T is dropped and counted", "[bus][rule3]")
{
    sending_link l;
    int heard = 0;
    int told = 0;
    observer watch{l.link.device(), on_error{[&](fault f) { told += f == fault::wrong_size ? 1 : 0; }}};
    REQUIRE(watch.open());

    SECTION("by size, to a copy")
    {
        endpoint in{l.link.device(), typed<sample>, [&](const sample&) { ++heard; }};
        REQUIRE(in.open(address{1}));
        for (const auto* what : {"", "1234567", "123456789"})
            REQUIRE(l.out.try_send(bytes(what)));
        l.link.run();
        CHECK(heard == 0);
        CHECK(l.link.device().stats()[fault::wrong_size] == 3);
        CHECK(told == 3);
        // It is bound all the same, and goes on.
        l.send(sample{});
        CHECK(heard == 1);
    }
    SECTION("by size, to a view in place")
    {
        endpoint in{l.link.device(), typed<sample>, [&](in_place<const sample&>) { ++heard; }};
        REQUIRE(in.open(address{1}));
        REQUIRE(l.out.try_send(bytes("1234567")));
        l.link.run();
        CHECK(heard == 0);
        CHECK(l.link.device().stats()[fault::wrong_size] == 1);
    }
    SECTION("by size, where there would have been a reply: its buffer is not lost")
    {
        endpoint in{l.link.device(), typed<sample>, [&](const sample& s) { return ++heard, s; }};
        REQUIRE(in.open(address{1}));
        for (int i = 0; i != 50; ++i) {
            REQUIRE(l.out.try_send(bytes("no")));
            l.link.run();
        }
        CHECK(heard == 0);
        CHECK(l.link.device().stats()[fault::wrong_size] == 50);
        l.send(sample{});
        CHECK(heard == 1);
    }
}

TEST_CASE("a view in place is not given of a payload that is not aligned for its T", "[bus][rule3]")
{
    loopback<> link{{.to_device_size = 68}};
    int aligned = 0;
    endpoint in{link.device(), typed<wide>, [&](in_place<const wide&> w) {
                    ++aligned;
                    CHECK(reinterpret_cast<std::uintptr_t>(&*w) % alignof(wide) == 0);
                }};
    int copies = 0;
    endpoint copied{link.device(), typed<wide>, [&](const wide& w) { copies += w.value == 5 ? 1 : 0; }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(copied.open(address{2}));
    REQUIRE(out.open(address{3}, towards{1}));
    link.run();
    // Every other buffer of 68 bytes begins at a multiple of 8.
    const wide sent{5};
    for (int i = 0; i != 8; ++i)
        REQUIRE(out.try_send(std::as_bytes(std::span{&sent, 1})));
    link.run();
    CHECK(aligned == 4);
    CHECK(link.device().stats()[fault::wrong_size] == 4);

    SECTION("but a copy is taken from anywhere")
    {
        for (int i = 0; i != 8; ++i)
            REQUIRE(out.try_send_to(address{2}, std::as_bytes(std::span{&sent, 1})));
        link.run();
        CHECK(copies == 8);
    }
}

TEST_CASE("a result is a value or a view of the message", "[bus]")
{
    loopback<> link;
    std::string heard;
    endpoint in{link.driver(), [&](std::span<const std::byte> p) { heard = text(p); }};
    REQUIRE(in.open(address{0x77}, towards{1}));
    link.run();
    const auto ask = [&](std::string_view what) {
        heard.clear();
        REQUIRE(in.try_send(bytes(what)));
        link.run();
        return heard;
    };
    SECTION("all of the payload")
    {
        endpoint echo{link.device(), [](message m) { return m.payload(); }};
        REQUIRE(echo.open(address{1}));
        CHECK(ask("echo") == "echo");
        CHECK(ask("") == "");
    }
    SECTION("a part of it")
    {
        endpoint tail{link.device(), [](message m) { return m.payload().after(2); }};
        REQUIRE(tail.open(address{1}));
        CHECK(ask("echo") == "ho");
    }
    SECTION("a value of another type")
    {
        endpoint size{link.device(), [](std::span<const std::byte> p) {
                          return std::array<char, 2>{'n', static_cast<char>('0' + p.size())};
                      }};
        REQUIRE(size.open(address{1}));
        CHECK(ask("four") == "n4");
    }
    SECTION("of a T, another T")
    {
        endpoint next{link.device(), typed<std::array<char, 1>>, [](const std::array<char, 1>& c) {
                          return std::array<char, 1>{static_cast<char>(c[0] + 1)};
                      }};
        REQUIRE(next.open(address{1}));
        CHECK(ask("a") == "b");
    }
    SECTION("of a buffer that it keeps, too")
    {
        rx_buffer kept;
        endpoint keeps{link.device(), [&](rx_buffer b) {
                           kept = std::move(b);
                           return std::array<char, 2>{'o', 'k'};
                       }};
        REQUIRE(keeps.open(address{1}));
        CHECK(ask("keep") == "ok");
        CHECK(text(kept.payload()) == "keep");
    }
}
