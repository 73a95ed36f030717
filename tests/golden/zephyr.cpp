// Zephyr's static vrings. Nothing of that peer was recorded: both its roles are played here from what is
// written of it, namely how its ipc_service lays the memory out and binds endpoints.

#include "golden/recording.hpp"
#include "golden/region.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/counting_doorbell.hpp>
#include <rpmsg/virtio/status_byte.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

using namespace golden;
using rpmsg::policy::vring_id;
using rpmsg::virtio::status_byte;

namespace {

struct zephyr_board : rpmsg::policy::board_defaults {
    using dialect = rpmsg::policy::zephyr_static_vrings;
    using doorbell = rpmsg::testing::counting_doorbell<>;  // one signal, without an id
    using coherence = rpmsg::policy::single_core;
    using address_map = rpmsg::policy::offset;
    using ring = rpmsg::policy::ring_of<4>;
};

/// The status in a piece of the alignment, the buffers, the rings: OpenAMP's layout at the alignment of 4
/// that Zephyr has unless told otherwise, each ring rounded up to it.
constexpr std::uint32_t base = 0x2007'0000;
constexpr std::uint32_t buffers = 4;
constexpr std::uint32_t buffer_size = 64;
constexpr std::uint32_t first_ring = buffers + 8 * buffer_size;
constexpr std::uint32_t second_ring = first_ring + 120;

scenario as_written()
{
    const auto text = [](std::uint32_t n) { return std::to_string(n); };
    scenario s{.name = "zephyr", .setup = {}, .steps = {}};
    s.setup = {{"base.pa", text(base)}, {"num", "4"}, {"image.size", text(second_ring + 120)}, {"fill", "0"}};
    for (const auto& [name, at] : {std::pair{"vring0", first_ring}, std::pair{"vring1", second_ring}}) {
        s.setup[std::string{name} + ".off"] = text(at);
        s.setup[std::string{name} + ".avail"] = text(at + 64);
        s.setup[std::string{name} + ".used"] = text(at + 80);
        s.setup[std::string{name} + ".end"] = text(at + 118);
    }
    return s;
}

constexpr rpmsg::virtio::ring_places places{
    .to_driver = {.address = base + first_ring, .num = 4, .align = 4, .notify_id = 0},
    .to_device = {.address = base + second_ring, .num = 4, .align = 4, .notify_id = 0}};

/// The shared memory, and Zephyr's hand in it.
struct zephyr_memory : region {
    zephyr_memory() : region{as_written()} {}

    status_byte transport() { return {places, *reinterpret_cast<status_byte::byte*>(memory.data())}; }
    rpmsg::policy::offset map() { return {memory, base}; }
    rpmsg::buffer_pool pool()
    {
        auto all = std::span{memory}.subspan(buffers, 8 * buffer_size);
        return {.to_driver = all.first(4 * buffer_size),
                .to_device = all.subspan(4 * buffer_size),
                .to_driver_size = buffer_size,
                .to_device_size = buffer_size};
    }

    void host_starts()
    {
        for (std::uint32_t id = 0; id != 4; ++id) {
            describe(0, id, buffers + id * buffer_size, buffer_size, 2);
            make_available(0, id);
        }
        put(rings[1].avail, 2, 1);  // it never asks for what it sent
        put(0, 1, 4);               // DRIVER_OK, alone
    }
    void host_sends(std::uint32_t id, const line& sent)
    {
        const auto at = buffers + (4 + id) * buffer_size;
        write_message(at, sent);
        describe(1, id, at, buffer_size, 0);
        make_available(1, id);
    }
    /// Into the n-th buffer that the host posted.
    void remote_sends(std::uint32_t n, const line& sent)
    {
        const auto id = half(avail_entry(0, n));
        write_message(static_cast<std::size_t>(get(descriptor(0, id), 8) - base), sent);
        make_used(0, id, buffer_size);
    }
    /// Header and payload of the i-th message that the host published.
    std::span<const std::byte> host_sent(std::uint32_t i) const
    {
        const auto id = half(avail_entry(1, i));
        return part(static_cast<std::size_t>(get(descriptor(1, id), 8) - base), buffer_size);
    }
};

line message(std::uint32_t from, std::uint32_t to, const std::string& data)
{
    return {"sent", "src:" + std::to_string(from) + " dst:" + std::to_string(to) +
                        " reserved:0 flags:0 len:" + std::to_string(bytes_of_hex(data).size()) +
                        " data:" + data};
}

}  // namespace

// @spec Zephyr subsys/ipc/ipc_service/backends/ipc_rpmsg_static_vrings.c, bound_cb()
TEST_CASE("as Zephyr's remote we announce, and its host's empty message binds", "[golden][zephyr][R14]")
{
    zephyr_memory shared;
    rpmsg::testing::rung rang;
    rpmsg::device_bus<zephyr_board, status_byte> bus{
        shared.transport(), {.doorbell = zephyr_board::doorbell{rang}, .address_map = shared.map()}};
    std::string heard;
    int bound = 0;
    rpmsg::endpoint ep{bus, [&](rpmsg::message in) { heard += "[" + hex(in.payload()) + "]"; },
                       rpmsg::on_bound{[&] { ++bound; }}};
    REQUIRE(ep.open("ep0"));
    bus.poll();
    CHECK(bus.state() == rpmsg::link_state::negotiating);
    CHECK(rang.total() == 0);

    shared.host_starts();
    bus.poll();
    CHECK(bus.state() == rpmsg::link_state::up);
    CHECK(bus.max_payload() == buffer_size - 16);
    CHECK(shared.get(0, 1) == 4);  // as device we only read it
    REQUIRE(shared.used_idx(0) == 1);
    CHECK(shared.word(shared.used_entry(0, 0) + 4) == 56);
    CHECK(shared.word(buffers) == 1024);
    CHECK(shared.word(buffers + 4) == 53);
    CHECK(news_in(shared.part(buffers + 16, 40)) == "+ep0@1024");
    CHECK(rang.total() >= 1);
    CHECK_FALSE(ep.is_bound());

    shared.host_sends(0, message(1025, 1024, "-"));
    bus.poll();  // the one signal says not which ring
    CHECK(bound == 1);
    CHECK(ep.peer() == rpmsg::address{1025});
    CHECK(shared.used_idx(1) == 1);

    shared.host_sends(1, message(1025, 1024, "0a0b0c"));
    bus.poll();
    CHECK(heard.ends_with("[0a0b0c]"));
    CHECK(bound == 1);
    CHECK(ep.try_send(bytes_of_hex("0102")));
    CHECK(shared.used_idx(0) == 2);
    CHECK(shared.word(buffers + buffer_size + 4) == 1025);
    CHECK(bus.stats().total() == 0);
}

// @spec Zephyr subsys/ipc/ipc_service/backends/ipc_rpmsg_static_vrings.c, bound_cb()
TEST_CASE("as Zephyr's host we answer an announcement with one empty message", "[golden][zephyr][R14]")
{
    zephyr_memory shared;
    rpmsg::testing::rung rang;
    rpmsg::driver_bus<zephyr_board, status_byte> bus{
        shared.transport(),
        shared.pool(),
        {.doorbell = zephyr_board::doorbell{rang}, .address_map = shared.map()}};
    std::string heard;
    int bound = 0;
    rpmsg::endpoint ep{bus, [&](rpmsg::message in) { heard += "[" + hex(in.payload()) + "]"; },
                       rpmsg::on_bound{[&] { ++bound; }}};
    REQUIRE(ep.open("ep0"));
    bus.start();
    CHECK(bus.state() == rpmsg::link_state::up);
    CHECK((shared.get(0, 1) & 4) != 0);  // all that its remote waits for
    CHECK(shared.avail_idx(0) == 4);
    bus.poll();
    const auto announced = shared.avail_idx(1);

    // Its remote announces as OpenAMP does.
    const std::string name = "65703000" + std::string(56, '0');
    shared.remote_sends(0, message(1024, 53, name + "00040000" + "00000000"));
    bus.poll();
    CHECK(bound == 1);
    CHECK(ep.peer() == rpmsg::address{1024});
    REQUIRE(shared.avail_idx(1) == announced + 1);
    const auto greeting = shared.host_sent(announced);
    CHECK(word_in(greeting, 0) == ep.local().value());
    CHECK(word_in(greeting, 4) == 1024);
    CHECK(word_in(greeting, 12) == 0);  // no bytes, no flags

    shared.remote_sends(1, message(1024, ep.local().value(), "-"));  // it greets back
    shared.remote_sends(2, message(1024, ep.local().value(), "0a0b0c"));
    bus.poll();
    CHECK(heard.ends_with("[0a0b0c]"));
    CHECK(bound == 1);
    CHECK(shared.avail_idx(1) == announced + 1);  // once
    CHECK(bus.stats().total() == 0);
}

TEST_CASE("Zephyr's remote never signals a buffer that it gave back, so our host looks by itself",
          "[golden][zephyr]")
{
    zephyr_memory shared;
    rpmsg::testing::rung rang;
    rpmsg::driver_bus<zephyr_board, status_byte> bus{
        shared.transport(),
        shared.pool(),
        {.doorbell = zephyr_board::doorbell{rang}, .address_map = shared.map()}};
    rpmsg::endpoint ep{bus};
    REQUIRE(ep.open(rpmsg::address{30}, rpmsg::towards{rpmsg::address{40}}));
    bus.start();
    while (ep.try_send(bytes_of_hex("01"))) {}
    REQUIRE(shared.avail_idx(1) == 4);
    CHECK(ep.try_send(bytes_of_hex("02")).error() == rpmsg::errc::full);
    shared.make_used(1, shared.half(shared.avail_entry(1, 0)), buffer_size);
    CHECK(ep.try_send(bytes_of_hex("02")));  // without a poll in between
    CHECK(shared.avail_idx(1) == 5);
}
