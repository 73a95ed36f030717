// The peer behind it, Zephyr's static vrings, is played from the written rules of how it behaves, not from
// recordings of it.

#include <rpmsg/virtio/status_byte.hpp>

#include <rpmsg/bus/bus.hpp>
#include <rpmsg/bus/endpoint.hpp>
#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/testing/journal.hpp>
#include <rpmsg/testing/loopback.hpp>
#include <rpmsg/testing/recording_coherence.hpp>
#include <rpmsg/virtio/transport.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

using namespace rpmsg;
using rpmsg::policy::vring_id;
using testing::recording_coherence;
using virtio::status_byte;
namespace status = rpmsg::virtio::status;

namespace {

static_assert(virtio::device_transport<status_byte, policy::smp> &&
              virtio::driver_transport<status_byte, policy::smp>);
static_assert(virtio::device_transport<status_byte, recording_coherence> &&
              virtio::driver_transport<status_byte, recording_coherence>);
static_assert(!std::is_constructible_v<status_byte, virtio::ring_places, status_byte::byte&>,
              "places that end with the statement");

struct zephyr_board : testing::loopback_board {
    using dialect = policy::zephyr_static_vrings;
    using ring = policy::ring_of<4>;
};
static constexpr std::uint32_t mem_alignment = 4;  // Zephyr's default, which OpenAMP's layout then has

/// Both ends on rings that a status byte stands for. The memory's resource table is nobody's: the first
/// byte of it is the status, as Zephyr has it in front of the shared memory.
struct behind_a_byte {
    testing::loopback_memory memory{{.to_driver_count = 4, .to_device_count = 4, .align = mem_alignment},
                                    zephyr_board::dialect::alignment};
    status_byte::byte& shared = *reinterpret_cast<status_byte::byte*>(memory.bytes().data());
    virtio::ring_places where{.to_driver = place(vring_id::to_driver),
                              .to_device = place(vring_id::to_device)};
    using device_type = device_bus<zephyr_board, status_byte>;
    using driver_type = driver_bus<zephyr_board, status_byte>;
    std::optional<device_type> device;
    std::optional<driver_type> driver;

    behind_a_byte()
    {
        shared = std::uint8_t{0};
        start_device();
    }
    virtio::ring_place place(vring_id which) const
    {
        auto* const start = reinterpret_cast<const std::byte*>(&memory.ring(which).descriptor_at(0));
        return {.address = memory.map().to_peer(start), .num = 4, .align = mem_alignment, .notify_id = 0};
    }
    void start_device()
    {
        device.emplace(status_byte{where, shared}, policy::set<zephyr_board>{.address_map = memory.map()});
    }
    void start_driver()
    {
        driver.emplace(status_byte{where, shared}, memory.pool(),
                       policy::set<zephyr_board>{.address_map = memory.map()});
        driver->start();
    }
    unsigned byte() const { return shared.get(); }
    void run()
    {
        for (int turn = 0; turn != 20; ++turn) {
            driver->poll();
            device->poll();
        }
    }
};

}  // namespace

// @spec virtio 1.2, 2.1.2; Zephyr subsys/ipc/ipc_service/lib/ipc_static_vrings.c, ipc_virtio_get_status()
TEST_CASE("a device behind a status byte waits for DRIVER_OK in it", "[virtio][R7]")
{
    behind_a_byte link;
    for (const unsigned early : {0U, 1U, 3U}) {
        link.shared = static_cast<std::uint8_t>(early);
        link.device->poll();
        CHECK(link.device->state() == link_state::negotiating);
        CHECK_FALSE(link.device->has_work());
    }
    CHECK(link.byte() == 3);  // as device, nothing is written there

    link.start_driver();
    CHECK(link.byte() == 7);
    CHECK(link.device->has_work());
    link.device->poll();
    CHECK(link.device->state() == link_state::up);
    CHECK(link.byte() == 7);
}

// @spec Zephyr subsys/ipc/ipc_service/lib/ipc_static_vrings.c, ipc_virtio_set_status()
TEST_CASE("a Zephyr driver writes DRIVER_OK alone, and that is enough", "[virtio]")
{
    behind_a_byte link;
    link.start_driver();
    link.shared = status::driver_ok;
    link.device->poll();
    CHECK(link.device->state() == link_state::up);
}

// @spec Zephyr subsys/ipc/ipc_service/backends/ipc_rpmsg_static_vrings.c, bound_cb()
TEST_CASE("with Zephyr's static vrings both ends are bound by an announcement and an empty message",
          "[virtio][R14]")
{
    behind_a_byte link;
    int heard = 0;
    int bound = 0;
    endpoint ept{*link.device, [&](std::span<const std::byte> p) { heard += static_cast<int>(p.size()); },
                 on_bound{[&] { ++bound; }}};
    REQUIRE(ept.open("ep"));
    link.start_driver();
    endpoint host{*link.driver, [](message in) { return in.payload(); }};
    REQUIRE(host.open("ep"));
    link.run();
    CHECK(bound == 1);
    CHECK(ept.peer() == host.local());
    CHECK(host.peer() == ept.local());
    CHECK(ept.try_send(std::array<std::byte, 5>{}));
    link.run();
    CHECK(heard == 5);
}

TEST_CASE("a driver behind a status byte that starts over is seen by the byte, or by its rings", "[virtio]")
{
    behind_a_byte link;
    link.start_driver();
    link.run();
    endpoint ept{*link.device};
    REQUIRE(ept.open(address{40}, towards{30}));
    CHECK(ept.try_send(std::array<std::byte, 5>{}));
    const auto epoch = link.device->epoch();

    SECTION("by the byte") { link.driver->stop(); }
    SECTION("by the rings, when it writes DRIVER_OK over DRIVER_OK as Zephyr does")
    {
        link.start_driver();
        link.shared = status::driver_ok;
    }
    link.device->poll();
    CHECK(link.device->epoch() == epoch + 1);
    link.start_driver();
    link.device->poll();
    CHECK(link.device->state() == link_state::up);
}

TEST_CASE("a device behind a status byte that starts anew asks in it for a reset, and our driver gives it",
          "[virtio]")
{
    behind_a_byte link;
    link.start_driver();
    link.run();
    endpoint ept{*link.device};
    REQUIRE(ept.open(address{40}, towards{30}));
    CHECK(ept.try_send(std::array<std::byte, 5>{}));
    CHECK(ept.close());

    link.start_device();
    link.device->poll();
    CHECK(link.device->state() == link_state::negotiating);
    CHECK(link.byte() == (7U | status::needs_reset));
    link.run();
    CHECK(link.device->state() == link_state::up);
    CHECK(link.driver->state() == link_state::up);

    SECTION("and a Zephyr driver, which reads no such wish, by starting anew itself")
    {
        CHECK(ept.open(address{40}, towards{30}));
        CHECK(ept.try_send(std::array<std::byte, 5>{}));
        CHECK(ept.close());
        link.start_device();
        link.device->poll();
        REQUIRE(link.byte() == (7U | status::needs_reset));
        link.start_driver();
        link.shared = status::driver_ok;
        link.device->poll();
        CHECK(link.device->state() == link_state::up);
    }
}

TEST_CASE("a status byte is read from memory and written between two barriers", "[virtio][rule8]")
{
    using testing::event;
    testing::journal log;
    recording_coherence barriers;
    status_byte::byte shared{std::uint8_t{0}};
    constexpr virtio::ring_places places{};
    status_byte carrier{places, shared};

    CHECK(carrier.check(barriers).has_value());
    CHECK(carrier.status(barriers) == 0);
    CHECK(log.has_in_order({{event::invalidate, &shared}}));
    log.mark();
    carrier.set_status(barriers, 4);
    CHECK(log.has_in_order(
        {{event::mark}, {event::full_barrier}, {event::clean, &shared}, {event::full_barrier}}));
    CHECK(shared.get() == 4);
}
