// Our device, and rpmsg-lite's master as it was recorded: on fixed rings.

#include "golden/replay.hpp"

using namespace golden;
using namespace rpmsg::policy;

// @spec rpmsg-lite lib/rpmsg_lite/rpmsg_lite.c, rpmsg_lite_remote_init()
TEST_CASE("rl-01-init-a16: our device with rpmsg-lite's master", "[golden][device][R6][R7]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-01-init-a16");
}

// @spec rpmsg-lite lib/rpmsg_lite/rpmsg_lite.c, rpmsg_lite_remote_init()
// @spec rpmsg-lite lib/include/virtio_ring.h, vring_init()
TEST_CASE("rl-01-init-a4: our device with rpmsg-lite's master", "[golden][device][R6][R7]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-01-init-a4");
}

TEST_CASE("rl-02-announce-echo-a16: our device with rpmsg-lite's master", "[golden][device]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-02-announce-echo-a16");
}

TEST_CASE("rl-02-announce-echo-a4: our device with rpmsg-lite's master", "[golden][device]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-02-announce-echo-a4");
}

TEST_CASE("rl-03-fill-to-device-a16: our device with rpmsg-lite's master", "[golden][device]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-03-fill-to-device-a16");
}

TEST_CASE("rl-03-fill-to-device-a4: our device with rpmsg-lite's master", "[golden][device]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-03-fill-to-device-a4");
}

TEST_CASE("rl-03-fill-to-driver-a16: our device with rpmsg-lite's master", "[golden][device][R7]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-03-fill-to-driver-a16");
}

TEST_CASE("rl-03-fill-to-driver-a4: our device with rpmsg-lite's master", "[golden][device][R7]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-03-fill-to-driver-a4");
}

TEST_CASE("rl-04-hold-a16: our device with rpmsg-lite's master", "[golden][device][R5]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-04-hold-a16");
}

TEST_CASE("rl-05-names-a16: our device with rpmsg-lite's master", "[golden][device]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-05-names-a16");
}

TEST_CASE("rl-06-wrap-a16: our device with rpmsg-lite's master", "[golden][device]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-06-wrap-a16");
}

TEST_CASE("rl-06-wrap-a4: our device with rpmsg-lite's master", "[golden][device]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-06-wrap-a4");
}

TEST_CASE("rl-10-lengths-a16: our device with rpmsg-lite's master", "[golden][device][R14]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-10-lengths-a16");
}

TEST_CASE("rl-10-lengths-a4: our device with rpmsg-lite's master", "[golden][device][R14]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-10-lengths-a4");
}

TEST_CASE("rl-12-linux-like-driver-a16: our device with a driver that keeps to what is written of Linux",
          "[golden][device]")
{
    play_device<linux_kernel, carried::by_fixed_rings>("rl-12-linux-like-driver-a16");
}

TEST_CASE("rl-14-exact-device-a16: our device with rpmsg-lite's master", "[golden][device]")
{
    play_device<rpmsg_lite, carried::by_fixed_rings>("rl-14-exact-device-a16");
}
