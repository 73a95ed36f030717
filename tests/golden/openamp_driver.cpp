// Our device, and OpenAMP's driver as it was recorded: with a resource table.

#include "golden/replay.hpp"

using namespace golden;
using namespace rpmsg::policy;

TEST_CASE("oa-01-init-a16: our device with OpenAMP's driver", "[golden][device]")
{
    play_device<openamp, carried::by_table>("oa-01-init-a16");
}

TEST_CASE("oa-01-init-a4: our device with OpenAMP's driver", "[golden][device]")
{
    play_device<openamp, carried::by_table>("oa-01-init-a4");
}

TEST_CASE("oa-02-bind-echo: our device with OpenAMP's driver", "[golden][device]")
{
    play_device<openamp, carried::by_table>("oa-02-bind-echo");
}

TEST_CASE("oa-03-fill-to-device: our device with OpenAMP's driver", "[golden][device]")
{
    play_device<openamp, carried::by_table>("oa-03-fill-to-device");
}

TEST_CASE("oa-03-fill-to-driver: our device with OpenAMP's driver", "[golden][device][R2]")
{
    play_device<openamp, carried::by_table>("oa-03-fill-to-driver");
}

TEST_CASE("oa-04-hold-to-device: our device with OpenAMP's driver", "[golden][device]")
{
    play_device<openamp, carried::by_table>("oa-04-hold-to-device");
}

TEST_CASE("oa-05-destroy: our device with OpenAMP's driver", "[golden][device]")
{
    play_device<openamp, carried::by_table>("oa-05-destroy");
}

TEST_CASE("oa-06-wrap: our device with OpenAMP's driver", "[golden][device]")
{
    play_device<openamp, carried::by_table>("oa-06-wrap");
}

TEST_CASE("oa-07-index-wrap-to-device: our device with OpenAMP's driver", "[golden][device]")
{
    play_device<openamp, carried::by_table>("oa-07-index-wrap-to-device");
}

TEST_CASE("oa-08-sizes-256-96: our device with OpenAMP's driver", "[golden][device][R3]")
{
    play_device<openamp, carried::by_table>("oa-08-sizes-256-96");
}

TEST_CASE("oa-09-discard: our device with OpenAMP's driver", "[golden][device]")
{
    play_device<openamp, carried::by_table>("oa-09-discard");
}

TEST_CASE("oa-10-lengths: our device with OpenAMP's driver", "[golden][device][R14]")
{
    play_device<openamp, carried::by_table>("oa-10-lengths");
}

TEST_CASE("oa-12-linux-like-driver: our device with a driver that keeps to what is written of Linux",
          "[golden][device][R1][R3]")
{
    play_device<linux_kernel, carried::by_table>("oa-12-linux-like-driver");
}

TEST_CASE("oa-13-names: our device with OpenAMP's driver", "[golden][device][R15]")
{
    play_device<openamp, carried::by_table>("oa-13-names");
}

TEST_CASE("oa-14-exact-device: our device with OpenAMP's driver", "[golden][device]")
{
    play_device<openamp, carried::by_table>("oa-14-exact-device");
}
