// Our driver, and rpmsg-lite's remote as it was recorded: on fixed rings.

#include "golden/replay.hpp"

using namespace golden;
using namespace rpmsg::policy;

// @spec rpmsg-lite lib/rpmsg_lite/rpmsg_lite.c, rpmsg_lite_master_init()
TEST_CASE("rl-01-init-a16: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-01-init-a16");
}

// @spec rpmsg-lite lib/rpmsg_lite/rpmsg_lite.c, rpmsg_lite_master_init()
// @spec rpmsg-lite lib/include/virtio_ring.h, vring_init()
TEST_CASE("rl-01-init-a4: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-01-init-a4");
}

TEST_CASE("rl-02-announce-echo-a16: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-02-announce-echo-a16");
}

TEST_CASE("rl-02-announce-echo-a4: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-02-announce-echo-a4");
}

TEST_CASE("rl-03-fill-to-device-a16: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-03-fill-to-device-a16");
}

TEST_CASE("rl-03-fill-to-device-a4: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-03-fill-to-device-a4");
}

TEST_CASE("rl-03-fill-to-driver-a16: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-03-fill-to-driver-a16");
}

TEST_CASE("rl-03-fill-to-driver-a4: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-03-fill-to-driver-a4");
}

TEST_CASE("rl-04-hold-a16: our driver with rpmsg-lite's remote", "[golden][driver][R5]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-04-hold-a16");
}

TEST_CASE("rl-05-names-a16: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-05-names-a16");
}

TEST_CASE("rl-06-wrap-a16: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-06-wrap-a16");
}

TEST_CASE("rl-06-wrap-a4: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-06-wrap-a4");
}

TEST_CASE("rl-10-lengths-a16: our driver with rpmsg-lite's remote", "[golden][driver][R14]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-10-lengths-a16");
}

TEST_CASE("rl-10-lengths-a4: our driver with rpmsg-lite's remote", "[golden][driver][R14]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-10-lengths-a4");
}

TEST_CASE("rl-12-linux-like-driver-a16: our driver with rpmsg-lite's remote", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-12-linux-like-driver-a16");
}

TEST_CASE("rl-14-exact-device-a16: our driver with a device that keeps to the letter", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_fixed_rings>("rl-14-exact-device-a16");
}
