#include <rpmsg/wire/header.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <type_traits>

using namespace rpmsg::wire;

static_assert(sizeof(header) == 16 && alignof(header) == 4);
static_assert(std::is_trivially_copyable_v<header> && std::is_standard_layout_v<header>);
static_assert(any_address == 0xffffffff && name_service_address == 0x35);
static_assert(default_buffer_size == 512 && default_buffer_size - sizeof(header) == 496);
static_assert(longest_payload + sizeof(header) == 65535);

// The messages are those of OpenAMP and of the Linux kernel, as recorded.
// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, struct rpmsg_hdr
// @spec OpenAMP lib/rpmsg/rpmsg_internal.h, struct rpmsg_hdr; Linux include/linux/rpmsg/ns.h, RPMSG_NS_ADDR
// @spec OpenAMP lib/include/openamp/rpmsg.h, RPMSG_NS_EPT_ADDR
TEST_CASE("a message's header has the recorded bytes", "[wire]")
{
    SECTION("of \"hello world!\" from 0x401 to 0x400")
    {
        const header head{.src = 0x401, .dst = 0x400, .reserved = 0, .len = 12, .flags = 0};
        CHECK(hex_of(head) == "0104000000040000000000000c000000");
    }
    SECTION("of an announcement from 0x400")
    {
        const header head{.src = 0x400, .dst = name_service_address, .reserved = 0, .len = 40, .flags = 0};
        CHECK(hex_of(head) == "00040000350000000000000028000000");
    }
    SECTION("of \"bound\" from 0x400 to 0x101")
    {
        const header head{.src = 0x400, .dst = 0x101, .reserved = 0, .len = 6, .flags = 0};
        CHECK(hex_of(head) == "00040000010100000000000006000000");
    }
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, struct rpmsg_hdr
// @spec OpenAMP lib/rpmsg/rpmsg_internal.h, struct rpmsg_hdr
TEST_CASE("every byte of a header belongs to the field that the spec says", "[wire]")
{
    const header head{
        .src = 0x04030201, .dst = 0x08070605, .reserved = 0x0c0b0a09, .len = 0x0e0d, .flags = 0x100f};
    CHECK(hex_of(head) == "0102030405060708090a0b0c0d0e0f10");
    CHECK(hex_of(header{}) == "00000000000000000000000000000000");
}
