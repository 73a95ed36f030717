#include <rpmsg/name_service/address.hpp>

#include "support/catch.hpp"

#include <type_traits>

using namespace rpmsg;

static_assert(!std::is_convertible_v<std::uint32_t, address>, "an address is not any number");
static_assert(!std::is_convertible_v<address, std::uint32_t>);
static_assert(!std::is_convertible_v<address, towards> && !std::is_convertible_v<std::uint32_t, towards>);
static_assert(sizeof(address) == 4 && std::is_trivially_copyable_v<address>);

// @spec Linux include/uapi/linux/rpmsg.h, RPMSG_ADDR_ANY; OpenAMP lib/include/openamp/rpmsg.h, RPMSG_ADDR_ANY
TEST_CASE("an address that was never set names nobody", "[name_service]")
{
    STATIC_REQUIRE(address{}.is_any());
    STATIC_REQUIRE(address{} == any_address);
    STATIC_REQUIRE(any_address.value() == 0xFFFF'FFFF);
}

// @spec Linux include/linux/rpmsg/ns.h, RPMSG_NS_ADDR
TEST_CASE("an address is the number on the wire", "[name_service]")
{
    STATIC_REQUIRE(address{0x400}.value() == 0x400);
    STATIC_REQUIRE(address{0x400} == address{0x400});
    STATIC_REQUIRE(address{0x400} != address{0x401});
    STATIC_REQUIRE_FALSE(address{0}.is_any());
    STATIC_REQUIRE(name_service_address.value() == 53);
}

TEST_CASE("a peer's address is said with towards", "[name_service]")
{
    STATIC_REQUIRE(towards{7}.peer == address{7});
    STATIC_REQUIRE(towards{address{8}}.peer == address{8});
}
