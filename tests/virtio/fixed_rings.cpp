#include <rpmsg/virtio/fixed_rings.hpp>

#include <rpmsg/bus/bus.hpp>
#include <rpmsg/bus/endpoint.hpp>
#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/testing/journal.hpp>
#include <rpmsg/testing/loopback.hpp>
#include <rpmsg/testing/recording_coherence.hpp>
#include <rpmsg/virtio/transport.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

using namespace rpmsg;
using rpmsg::policy::vring_id;
using testing::recording_coherence;
using virtio::first_doorbell;
using virtio::role;
namespace status = rpmsg::virtio::status;

namespace {

using device_rings = virtio::fixed_rings<role::device>;
using driver_rings = virtio::fixed_rings<role::driver>;
static_assert(virtio::device_transport<device_rings, policy::smp> &&
              virtio::driver_transport<driver_rings, policy::smp>);
static_assert(virtio::device_transport<device_rings, recording_coherence> &&
              virtio::driver_transport<driver_rings, recording_coherence>);
static_assert(!std::is_constructible_v<device_rings, virtio::ring_places, const first_doorbell&> &&
                  !std::is_constructible_v<driver_rings, virtio::ring_places>,
              "places that end with the statement");

constexpr virtio::ring_places places = virtio::rpmsg_lite_places(0x1000, 8, 16, 0x400);
constinit first_doorbell of_nobody;

struct lite_board : testing::loopback_board {
    using dialect = policy::rpmsg_lite;
    using ring = policy::ring_of<4>;
};

/// As a program states it: the places and the signal are the program's, the transport is the board's.
struct board_with_rings : lite_board {
    static constexpr device_rings resources{places, of_nobody};
};
static_assert(std::is_same_v<transport_of<board_with_rings>::type, device_rings>);

/// Both ends on memory without a table; each may start anew.
struct tableless {
    testing::loopback_memory memory{{.to_driver_count = 4, .to_device_count = 4, .align = 4},
                                    lite_board::dialect::alignment};
    virtio::ring_places where{.to_driver = place(vring_id::to_driver, 10),
                              .to_device = place(vring_id::to_device, 11)};
    first_doorbell heard;
    testing::rung device_rang;
    testing::rung driver_rang;
    using device_bus_type = device_bus<lite_board, device_rings>;
    using driver_bus_type = driver_bus<lite_board, driver_rings>;
    std::optional<device_bus_type> device;
    std::optional<driver_bus_type> driver;

    tableless()
    {
        std::ranges::fill(memory.bytes(), std::byte{0xA5});
        start_device();
    }
    virtio::ring_place place(vring_id which, std::uint32_t id) const
    {
        auto* const start = reinterpret_cast<const std::byte*>(&memory.ring(which).descriptor_at(0));
        return {.address = memory.map().to_peer(start), .num = 4, .align = 4, .notify_id = id};
    }
    void start_device()
    {
        device.emplace(device_rings{where, heard},
                       policy::set<lite_board>{.doorbell = decltype(lite_board::doorbell{}){device_rang},
                                               .address_map = memory.map()});
    }
    /// Its doorbell is not delivered: that is the test's.
    void start_driver()
    {
        driver.emplace(driver_rings{where}, memory.pool(),
                       policy::set<lite_board>{.doorbell = decltype(lite_board::doorbell{}){driver_rang},
                                               .address_map = memory.map()});
        driver->start();
    }
    void run()
    {
        for (int turn = 0; turn != 20; ++turn) {
            driver->poll();
            device->poll();
        }
    }
    std::uint16_t used(vring_id which) const { return memory.ring(which).used().idx.get(); }
};

/// That messages pass both ways.
void check_traffic(tableless& link)
{
    int heard = 0;
    endpoint echo{*link.device, [](message in) { return in.payload(); }};
    endpoint ping{*link.driver, [&](std::span<const std::byte> p) { heard += p.size() == 3 ? 1 : 0; }};
    REQUIRE(echo.open(address{40}));
    REQUIRE(ping.open(address{30}, towards{40}));
    for (int i = 0; i != 9; ++i) {
        CHECK(ping.try_send(std::array<std::byte, 3>{}));
        link.run();
    }
    CHECK(heard == 9);
}

}  // namespace

TEST_CASE("the first doorbell is the driver's word, and each later one is another", "[virtio]")
{
    first_doorbell bell;
    CHECK(bell.times() == 0);
    bell.rang();
    const auto first = bell.times();
    CHECK(first != 0);
    bell.rang();
    CHECK(bell.times() != first);
}

// @spec rpmsg-lite lib/rpmsg_lite/rpmsg_lite.c, rpmsg_lite_remote_init()
TEST_CASE("a device on fixed rings touches nothing before the first doorbell", "[virtio][R7]")
{
    tableless link;
    link.start_driver();
    for (int i = 0; i != 3; ++i) {
        CHECK(link.device->poll().handled == 0);
        CHECK_FALSE(link.device->has_work());
    }
    CHECK(link.device->state() == link_state::negotiating);
    CHECK(link.used(vring_id::to_driver) == 0);

    SECTION("and is up after it")
    {
        CHECK(link.driver_rang[vring_id::to_driver] == 1);  // for which a remote of rpmsg-lite waits
        CHECK(link.driver->state() == link_state::up);
        link.heard.rang();
        CHECK(link.device->has_work());
        link.device->poll();
        CHECK(link.device->state() == link_state::up);
        CHECK(link.device->has_name_service());
        check_traffic(link);
    }
}

TEST_CASE("a doorbell that came before the device started counts", "[virtio]")
{
    tableless link;
    link.heard.rang();
    link.start_driver();
    link.start_device();
    link.device->poll();
    CHECK(link.device->state() == link_state::up);
}

TEST_CASE("memory that holds no rings is refused until the next doorbell", "[virtio]")
{
    tableless link;
    link.heard.rang();  // the board was wrong: all bytes are 0xA5
    link.device->poll();
    CHECK(link.device->state() == link_state::negotiating);
    CHECK(link.device_rang.total() == 1);
    for (int i = 0; i != 3; ++i)
        link.device->poll();
    CHECK_FALSE(link.device->has_work());
    CHECK(link.device_rang.total() == 1);

    link.start_driver();
    link.device->poll();
    CHECK(link.device->state() == link_state::negotiating);
    link.heard.rang();
    CHECK(link.device->has_work());
    link.device->poll();
    CHECK(link.device->state() == link_state::up);
    check_traffic(link);
}

TEST_CASE("a doorbell between the look at the rings and their refusal is not lost", "[virtio]")
{
    policy::single_core barriers;
    first_doorbell heard;
    device_rings rings{places, heard};
    CHECK(rings.status(barriers) == status::reset);
    heard.rang();
    CHECK(rings.status(barriers) == status::driver_ok);
    heard.rang();
    rings.ask_for_reset(barriers);
    CHECK(rings.status(barriers) == status::driver_ok);

    rings.ask_for_reset(barriers);
    CHECK(rings.status(barriers) == status::reset);
    CHECK(rings.status(barriers) == status::reset);
    heard.rang();
    CHECK(rings.status(barriers) == status::driver_ok);
}

TEST_CASE("a driver on fixed rings that starts over is noticed by what it zeroed", "[virtio]")
{
    tableless link;
    link.start_driver();
    link.heard.rang();
    link.run();
    check_traffic(link);
    const auto epoch = link.device->epoch();

    link.driver->stop();
    link.driver->start();
    link.device->poll();
    CHECK(link.device->epoch() == epoch + 1);
    link.device->poll();
    CHECK(link.device->state() == link_state::up);
    check_traffic(link);
}

TEST_CASE("a device on fixed rings that starts anew never goes on in old ones", "[virtio]")
{
    tableless link;
    link.start_driver();
    link.heard.rang();
    link.run();
    check_traffic(link);

    link.device.reset();
    const auto used = link.used(vring_id::to_device);
    REQUIRE(used != 0);
    link.start_device();
    link.heard.rang();
    link.device->poll();
    CHECK(link.device->state() == link_state::negotiating);
    CHECK(link.used(vring_id::to_device) == used);

    link.driver->stop();
    link.driver->start();
    link.heard.rang();
    link.device->poll();
    CHECK(link.device->state() == link_state::up);
    check_traffic(link);
}

TEST_CASE("a driver on fixed rings keeps its status to itself", "[virtio]")
{
    testing::journal log;
    recording_coherence barriers;
    driver_rings rings{places};
    CHECK(rings.check(barriers).has_value());
    CHECK(rings.status(barriers) == status::reset);
    rings.set_status(barriers, 7);
    CHECK(rings.status(barriers) == 7);
    CHECK(log.has_in_order({{testing::event::full_barrier}}));  // the rings are visible before the doorbell
}

TEST_CASE("a board may know its rings when it is built", "[virtio]")
{
    const testing::loopback_memory memory{{.to_driver_count = 4, .to_device_count = 4},
                                          lite_board::dialect::alignment};
    device_bus<board_with_rings> bus{board_with_rings::resources, {.address_map = memory.map()}};
    bus.poll();
    CHECK(bus.state() == link_state::negotiating);
    CHECK(bus.refusal() == errc{});
    of_nobody.rang();
    bus.poll();
    CHECK(bus.refusal() == errc::bad_ring_size);  // 8 descriptors, as the places say
}
