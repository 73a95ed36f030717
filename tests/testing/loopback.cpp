#include <rpmsg/testing/loopback.hpp>

#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/recording_board.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;
using policy::vring_id;

namespace {

struct board_of_4 : loopback_board {
    using ring = policy::ring_of<4>;
};
struct rpmsg_lite_board : board_of_4 {
    using dialect = policy::rpmsg_lite;
};
struct events_board : loopback_board {
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};
struct by_id : policy::doorbell_defaults {
    static constexpr bool carries_queue_id = true;
};
struct id_board : loopback_board {
    using doorbell = counting_doorbell<by_id>;
};
struct recording_loopback_board : recording_board {
    using wait = loopback_wait;
};

}  // namespace

TEST_CASE("a loopback's ends are up and know each other after a run", "[testing]")
{
    loopback<> link;
    std::string heard;
    endpoint echo{link.device(), [](message in) { return in.payload(); }};
    endpoint ping{link.driver(), [&](std::span<const std::byte> answer) { heard = text(answer); }};
    REQUIRE(echo.open("echo"));
    REQUIRE(ping.open("echo"));

    CHECK(link.run());
    CHECK(link.driver().state() == link_state::up);
    CHECK(link.device().state() == link_state::up);
    REQUIRE(ping.is_bound());

    CHECK(ping.try_send(bytes("hello")));
    CHECK(link.run());
    CHECK(heard == "hello");
}

TEST_CASE("a loopback's memory holds table, rings and buffers at addresses that are no pointers", "[testing]")
{
    loopback<> link;
    link.run();

    const auto map = link.map();
    CHECK(map.to_peer(link.bytes().data()) == 0x3ED0'0000);
    CHECK(link.table().vdev.vring[0].da == map.to_peer(link.bytes().data()) + 4096);
    CHECK(link.table().vdev.vring[0].num == 16);
    CHECK(link.holds(link.pool().to_driver.data()));
    CHECK(link.holds(&link.ring(vring_id::to_device).used()));
    CHECK_FALSE(link.holds(&link));

    SECTION("a descriptor leads to its buffer")
    {
        const auto first = link.buffer(vring_id::to_driver, 0);
        CHECK(first.data() == link.pool().to_driver.data());
        CHECK(first.size() == 512);
        CHECK(link.buffer(vring_id::to_device, 3).data() ==
              link.pool().to_device.data() + std::size_t{3} * 512);
        link.ring(vring_id::to_driver).descriptor_at(0).addr = std::uint64_t{0x1000};
        CHECK(link.buffer(vring_id::to_driver, 0).empty());
    }
    SECTION("a message can be looked at where it lies")
    {
        endpoint sender{link.driver()};
        REQUIRE(sender.open(address{5}, towards{6}));
        REQUIRE(sender.try_send(bytes("look")));

        const auto ring = link.ring(vring_id::to_device);
        CHECK(ring.avail().idx == 1);
        const auto where = link.buffer(vring_id::to_device, ring.avail_at(0));
        CHECK(text(where.subspan(sizeof(wire::header), 4)) == "look");
        CHECK(link.layout(vring_id::to_device).used == 4096);
    }
}

TEST_CASE("a loopback counts what each end rings", "[testing]")
{
    SECTION("by ring")
    {
        loopback<> link;
        link.run();
        const auto before = link.rang(virtio::role::driver);
        endpoint sender{link.driver()};
        REQUIRE(sender.open(address{5}, towards{6}));
        REQUIRE(sender.try_send(bytes("x")));
        CHECK(link.rang(virtio::role::driver)[vring_id::to_device] == before[vring_id::to_device] + 1);
        CHECK(link.rang(virtio::role::driver).total() == before.total() + 1);
    }
    SECTION("with the notify id of the table where the doorbell carries it")
    {
        loopback<id_board> link;
        link.run();
        endpoint sender{link.driver()};
        REQUIRE(sender.open(address{5}, towards{6}));
        REQUIRE(sender.try_send(bytes("x")));
        CHECK(link.rang(virtio::role::driver).notify_id == 2);
    }
}

TEST_CASE("a loopback's shape is the test's to choose", "[testing]")
{
    SECTION("ring sizes and buffer sizes by direction")
    {
        loopback<board_of_4> link{{.to_driver_size = 64, .to_device_size = 128}};
        CHECK(link.run());
        CHECK(link.driver().max_payload() == 128 - 16);
        CHECK(link.device().max_payload() == 64 - 16);
        CHECK(link.table().vdev.vring[1].num == 4);
    }
    SECTION("features, and none that the device's dialect lacks")
    {
        loopback<> link{{.features = policy::feature::event_idx}};
        CHECK(link.run());
        CHECK_FALSE(link.driver().has_name_service());
        CHECK(link.table().vdev.dfeatures == 0);
    }
    SECTION("alignment")
    {
        loopback<board_of_4> link{{.align = 16}};
        CHECK(link.run());
        CHECK(link.layout(vring_id::to_driver).size < 256);
    }
    SECTION("rings that the driver places")
    {
        loopback<> link{{.driver_places_rings = true}};
        CHECK(link.table().vdev.vring[0].da == wire::resource_any);
        CHECK(link.run());
        CHECK(link.device().state() == link_state::up);
        CHECK(link.table().vdev.vring[0].da != wire::resource_any);
        CHECK(link.ring(vring_id::to_driver).avail().idx == 16);
    }
    SECTION("counts that are not the board's, which then refuses them")
    {
        loopback<board_of_4> link{{.to_device_count = 8}};
        CHECK(link.run());
        CHECK(link.driver().refusal() == errc::bad_ring_size);
    }
}

TEMPLATE_TEST_CASE("a loopback's boards are the test's to choose", "[testing]", board_of_4, rpmsg_lite_board,
                   events_board, id_board)
{
    loopback<TestType> link;
    int heard = 0;
    endpoint in{link.device(), [&](std::span<const std::byte>) { ++heard; }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{100}));
    REQUIRE(out.open(address{200}, towards{100}));
    REQUIRE(link.run());

    for (int i = 0; i != 20; ++i) {
        CHECK(out.try_send(bytes("x")));
        CHECK(link.run());
    }
    CHECK(heard == 20);
}

TEST_CASE("a loopback hands the models of a test to its ends", "[testing]")
{
    journal log;
    const recording_lifecycle life;
    auto mine = life;
    loopback<recording_loopback_board> link{{}, {.lifecycle = life}};
    link.run();
    CHECK(link.driver().state() == link_state::up);
    CHECK(log.count(rpmsg::testing::event::ring) != 0);
    CHECK(log.count(rpmsg::testing::event::to_local) != 0);

    mine.becomes(policy::peer_life::gone);
    link.driver().poll();
    CHECK(link.driver().state() != link_state::up);
    CHECK(log.mistakes() == 0);
}

TEST_CASE("who waits in a loopback gives its peer a turn, and time passes only in vain", "[testing]")
{
    manual_clock::set(1000);
    loopback<> link;

    SECTION("for the link")
    {
        CHECK(link.device().wait_link(50ms));
        CHECK(link.driver().state() == link_state::up);
    }
    SECTION("for a buffer")
    {
        link.run();
        int heard = 0;
        endpoint in{link.device(), [&](std::span<const std::byte>) { ++heard; }};
        endpoint out{link.driver()};
        REQUIRE(in.open(address{100}));
        REQUIRE(out.open(address{200}, towards{100}));
        for (int i = 0; i != 40; ++i)
            CHECK(out.send(bytes("x"), 50ms));
        CHECK(heard >= 24);
        CHECK(manual_clock::now() == 1000);
    }
    SECTION("for what never comes")
    {
        link.driver().stop();
        CHECK(link.device().wait_link(50ms).error() == errc::timed_out);
        CHECK(manual_clock::now() == 1050);
    }
}

TEST_CASE("a loopback that does not come to rest says so", "[testing]")
{
    loopback<> link;
    CHECK_FALSE(link.run(0));
    CHECK(link.run());
}

TEST_CASE("another bus takes over an end of a loopback with the models of the first", "[testing]")
{
    loopback<> link;
    link.run();
    link.device().stop();

    device_bus<loopback_board> second{link.table(), link.device_models()};
    for (int i = 0; i != 6; ++i) {
        second.poll();
        link.driver().poll();
    }
    CHECK(second.state() == link_state::up);
    CHECK(link.end<virtio::role::driver>().state() == link_state::up);
    CHECK(link.end<virtio::role::device>().state() == link_state::down);
    CHECK(link.driver_models().address_map.holds(link.bytes().data()));
}
