#include <rpmsg/wire/announcement.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <type_traits>

using namespace rpmsg::wire;

static_assert(sizeof(announcement) == 40 && alignof(announcement) == 4);
static_assert(std::is_trivially_copyable_v<announcement> && std::is_standard_layout_v<announcement>);
static_assert(name_size == 32 && announcement_went == 1);

// As recorded of rpmsg-lite, which pads its names with zeros as we do; OpenAMP leaves garbage behind them.
// @spec Linux include/linux/rpmsg/ns.h, struct rpmsg_ns_msg
// @spec OpenAMP lib/rpmsg/rpmsg_internal.h, struct rpmsg_ns_msg
// @spec Linux include/linux/rpmsg/ns.h, enum rpmsg_ns_flags
// @spec OpenAMP lib/rpmsg/rpmsg_internal.h, enum rpmsg_ns_flags
TEST_CASE("an announcement has the recorded bytes", "[wire]")
{
    announcement news{.name = {"rpmsg-openamp-demo-channel"}, .addr = 1, .flags = 0};

    SECTION("when a channel came")
    {
        CHECK(hex_of(news) == "72706d73672d6f70656e616d702d64656d6f2d6368616e6e656c000000000000"
                              "0100000000000000");
    }
    SECTION("when it went")
    {
        news.flags = announcement_went;
        CHECK(hex_of(news) == "72706d73672d6f70656e616d702d64656d6f2d6368616e6e656c000000000000"
                              "0100000001000000");
    }
}

// @spec Linux include/linux/mod_devicetable.h, RPMSG_NAME_SIZE
// @spec OpenAMP lib/include/openamp/rpmsg.h, RPMSG_NAME_SIZE
TEST_CASE("a name may fill all of its 32 bytes", "[wire]")
{
    announcement news{};
    news.name.fill('n');
    news.addr = 0x0403'0201;
    CHECK(hex_of(news) == "6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e"
                          "0102030400000000");
}
