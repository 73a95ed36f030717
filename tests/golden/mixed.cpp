// The two libraries with each other, and ours in the place of one of them.

#include "golden/replay.hpp"

using namespace golden;
using namespace rpmsg::policy;

TEST_CASE("x-01-openamp-driver-lite-remote: our device in the place of rpmsg-lite's", "[golden][device]")
{
    play_device<openamp, carried::by_fixed_rings>("x-01-openamp-driver-lite-remote");
}

TEST_CASE("x-01-openamp-driver-lite-remote: our driver in the place of OpenAMP's", "[golden][driver]")
{
    play_driver<rpmsg_lite, carried::by_table>("x-01-openamp-driver-lite-remote");
}

TEST_CASE("x-02-lite-master-openamp-device: our device in the place of OpenAMP's", "[golden][device][R6][R8]")
{
    play_device<rpmsg_lite, carried::by_table>("x-02-lite-master-openamp-device");
}

TEST_CASE("x-02-lite-master-openamp-device: our driver in the place of rpmsg-lite's", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("x-02-lite-master-openamp-device");
}
