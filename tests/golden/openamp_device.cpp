// Our driver, and OpenAMP's device as it was recorded: with a resource table.

#include "golden/replay.hpp"

using namespace golden;
using namespace rpmsg::policy;

TEST_CASE("oa-01-init-a16: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-01-init-a16");
}

TEST_CASE("oa-01-init-a4: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-01-init-a4");
}

TEST_CASE("oa-02-bind-echo: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-02-bind-echo");
}

TEST_CASE("oa-03-fill-to-device: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-03-fill-to-device");
}

TEST_CASE("oa-03-fill-to-driver: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-03-fill-to-driver");
}

TEST_CASE("oa-04-hold-to-device: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-04-hold-to-device");
}

TEST_CASE("oa-05-destroy: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-05-destroy");
}

TEST_CASE("oa-06-wrap: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-06-wrap");
}

TEST_CASE("oa-07-index-wrap-to-device: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-07-index-wrap-to-device");
}

TEST_CASE("oa-08-sizes-256-96: our driver with OpenAMP's device", "[golden][driver][R3]")
{
    play_driver<openamp, carried::by_table>("oa-08-sizes-256-96");
}

TEST_CASE("oa-09-discard: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-09-discard");
}

TEST_CASE("oa-10-lengths: our driver with OpenAMP's device", "[golden][driver][R14]")
{
    play_driver<openamp, carried::by_table>("oa-10-lengths");
}

TEST_CASE("oa-12-linux-like-driver: our driver with OpenAMP's device", "[golden][driver]")
{
    play_driver<openamp, carried::by_table>("oa-12-linux-like-driver");
}

TEST_CASE("oa-13-names: our driver with OpenAMP's device", "[golden][driver][R15]")
{
    play_driver<openamp, carried::by_table>("oa-13-names");
}

TEST_CASE("oa-14-exact-device: our driver with a device that keeps to the letter", "[golden][driver][R4]")
{
    play_driver<linux_kernel, carried::by_table>("oa-14-exact-device");
}
