#include <rpmsg/policy/address_map.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

using namespace rpmsg::policy;

namespace {

constexpr auto highest = std::numeric_limits<std::uint64_t>::max();
constexpr auto most_bytes = std::numeric_limits<std::size_t>::max();

std::array<std::byte, 0x100> near_memory;
std::array<std::byte, 0x40> far_memory;

struct holding : offset {
    void hold(std::uint32_t) noexcept {}
    void drop(std::uint32_t) noexcept {}
};

static_assert(address_map<identity<0, 1>> && address_map<offset> && address_map<windows<1>> &&
              address_map<holding>);
static_assert(holding_address_map<holding> && !holding_address_map<offset> && !address_map<int>);
static_assert(std::is_empty_v<identity<0x2000'0000, 0x8000>>);

constinit offset made_before_main{std::span{near_memory}, 0x1000};
constinit windows<2> both_before_main{offset{std::span{near_memory}, 0x1000},
                                      offset{std::span{far_memory}, 0x8000}};

std::uintptr_t number(const std::byte* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace

TEST_CASE("an identity map gives addresses inside of it, and no others", "[policy]")
{
    const identity<0x2000'0000, 0x8000> map;

    SECTION("all of it, and any part")
    {
        CHECK(number(map.to_local(0x2000'0000, 0x8000)) == 0x2000'0000);
        CHECK(number(map.to_local(0x2000'0000, 1)) == 0x2000'0000);
        CHECK(number(map.to_local(0x2000'7fff, 1)) == 0x2000'7fff);
        CHECK(number(map.to_local(0x2000'1234, 0x10)) == 0x2000'1234);
    }
    SECTION("nothing, up to its end")
    {
        CHECK(number(map.to_local(0x2000'0000, 0)) == 0x2000'0000);
        CHECK(number(map.to_local(0x2000'8000, 0)) == 0x2000'8000);
        CHECK(map.to_local(0x2000'8001, 0) == nullptr);
    }
    SECTION("not one byte before or behind")
    {
        CHECK(map.to_local(0x1fff'ffff, 1) == nullptr);
        CHECK(map.to_local(0x1fff'ffff, 2) == nullptr);
        CHECK(map.to_local(0x2000'8000, 1) == nullptr);
        CHECK(map.to_local(0x2000'7fff, 2) == nullptr);
        CHECK(map.to_local(0x2000'0000, 0x8001) == nullptr);
        CHECK(map.to_local(0, 1) == nullptr);
    }
    SECTION("not lengths that wrap around")
    {
        CHECK(map.to_local(0x2000'0000, most_bytes) == nullptr);
        CHECK(map.to_local(0x2000'7fff, most_bytes) == nullptr);
        CHECK(map.to_local(0x2000'8000, most_bytes) == nullptr);
        CHECK(map.to_local(0x2000'1000, most_bytes - 0xfff) == nullptr);
    }
    SECTION("not addresses whose lower half only is inside")
    {
        CHECK(map.to_local(0x1'2000'0000, 1) == nullptr);
        CHECK(map.to_local(0xffff'ffff'2000'0000, 1) == nullptr);
        CHECK(map.to_local(highest, 1) == nullptr);
        CHECK(map.to_local(highest, 0) == nullptr);
    }
    SECTION("and back") { CHECK(map.to_peer(map.to_local(0x2000'0042, 1)) == 0x2000'0042); }
}

TEST_CASE("an identity map may end with the last address of 32 bits", "[policy]")
{
    const identity<0xffff'f000, 0x1000> map;
    CHECK(number(map.to_local(0xffff'f000, 0x1000)) == 0xffff'f000);
    CHECK(number(map.to_local(0xffff'ffff, 1)) == 0xffff'ffff);
    CHECK(map.to_local(0xffff'ffff, 2) == nullptr);
    CHECK(map.to_local(0x1'0000'0000, 0) == nullptr);
    CHECK(map.to_local(0, 0) == nullptr);

    const identity<0x8000'0000, 0x8000'0000> upper_half;
    CHECK(upper_half.to_local(0, 0) == nullptr);
    CHECK(number(upper_half.to_local(0xffff'ffff, 1)) == 0xffff'ffff);
    CHECK(upper_half.to_local(0x7fff'ffff, 1) == nullptr);
}

TEST_CASE("an offset map gives addresses inside of it, and no others", "[policy]")
{
    const auto& map = made_before_main;
    auto* const first = near_memory.data();

    SECTION("all of it, and any part")
    {
        CHECK(map.to_local(0x1000, 0x100) == first);
        CHECK(map.to_local(0x10ff, 1) == first + 0xff);
        CHECK(map.to_local(0x1080, 0x80) == first + 0x80);
    }
    SECTION("nothing, up to its end")
    {
        CHECK(map.to_local(0x1000, 0) == first);
        CHECK(map.to_local(0x1100, 0) == first + 0x100);
        CHECK(map.to_local(0x1101, 0) == nullptr);
        CHECK(map.to_local(0xfff, 0) == nullptr);
    }
    SECTION("not one byte before or behind")
    {
        CHECK(map.to_local(0xfff, 1) == nullptr);
        CHECK(map.to_local(0x1100, 1) == nullptr);
        CHECK(map.to_local(0x10ff, 2) == nullptr);
        CHECK(map.to_local(0x1000, 0x101) == nullptr);
    }
    SECTION("not lengths that wrap around")
    {
        CHECK(map.to_local(0x1000, most_bytes) == nullptr);
        CHECK(map.to_local(0x1100, most_bytes) == nullptr);
        CHECK(map.to_local(0x1080, most_bytes - 0x7f) == nullptr);
    }
    SECTION("not addresses near 2^64")
    {
        CHECK(map.to_local(highest, 1) == nullptr);
        CHECK(map.to_local(highest, 0x1002) == nullptr);
        CHECK(map.to_local(highest - 0xfff, 0x1001) == nullptr);
        CHECK(map.to_local(0x8000'0000'0000'1000, 1) == nullptr);
        CHECK(map.to_local(0x1'0000'1000, 1) == nullptr);
    }
    SECTION("and back")
    {
        CHECK(map.to_peer(first) == 0x1000);
        CHECK(map.to_peer(first + 0x42) == 0x1042);
        CHECK(map.holds(first));
        CHECK(map.holds(first + 0xff));
        CHECK_FALSE(map.holds(first + 0x100));
    }
}

TEST_CASE("an offset map may end with the last address of all", "[policy]")
{
    const offset map{near_memory, highest - 0xff};
    CHECK(map.to_local(highest, 1) == near_memory.data() + 0xff);
    CHECK(map.to_local(highest, 2) == nullptr);
    CHECK(map.to_local(highest - 0xff, 0x100) == near_memory.data());
    CHECK(map.to_local(highest - 0x100, 1) == nullptr);
    CHECK(map.to_local(1, 1) == nullptr);
}

TEST_CASE("a map of nothing gives nothing", "[policy]")
{
    const offset nothing;
    CHECK(nothing.to_local(0, 0) == nullptr);
    CHECK(nothing.to_local(0, 1) == nullptr);
    CHECK(nothing.to_local(highest, 1) == nullptr);
    CHECK_FALSE(nothing.holds(near_memory.data()));

    const windows<2> no_windows;
    CHECK(no_windows.to_local(0, 0) == nullptr);
    CHECK(no_windows.to_local(0, 1) == nullptr);
    CHECK(no_windows.to_peer(near_memory.data()) == 0);
}

TEST_CASE("windows give addresses inside of one of them, and no others", "[policy]")
{
    const auto& map = both_before_main;

    CHECK(map.to_local(0x1010, 0x10) == near_memory.data() + 0x10);
    CHECK(map.to_local(0x8010, 0x10) == far_memory.data() + 0x10);
    CHECK(map.to_local(0x8000, 0x40) == far_memory.data());
    CHECK(map.to_local(0x8000, 0x41) == nullptr);
    CHECK(map.to_local(0x1100, 1) == nullptr);
    CHECK(map.to_local(0x7fff, 1) == nullptr);
    CHECK(map.to_local(highest, most_bytes) == nullptr);

    CHECK(map.to_peer(near_memory.data() + 1) == 0x1001);
    CHECK(map.to_peer(far_memory.data() + 1) == 0x8001);
}

TEST_CASE("a range never spans two windows, even where they touch", "[policy]")
{
    const windows<3> map{offset{near_memory, 0x1000}, offset{far_memory, 0x1100}};

    CHECK(map.to_local(0x10ff, 1) == near_memory.data() + 0xff);
    CHECK(map.to_local(0x1100, 1) == far_memory.data());
    CHECK(map.to_local(0x10ff, 2) == nullptr);
    CHECK(map.to_local(0x1000, 0x140) == nullptr);
}
