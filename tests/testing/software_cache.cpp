#include <rpmsg/testing/software_cache.hpp>

#include "support/catch.hpp"

#include <rpmsg/testing/software_cached.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

using namespace rpmsg::testing;
using rpmsg::virtio::role;
using rpmsg::wire::le16;

namespace {

/// Four lines of 16 bytes, and both sides of them.
struct two_caches {
    explicit two_caches(const cache_habits& habits = {}, std::uint32_t seed = 1)
        : cache{std::as_writable_bytes(std::span{memory}), 16, habits, seed}
    {}
    std::byte& driver_sees(std::size_t at) { return cache.view(role::driver)[at]; }
    std::byte& device_sees(std::size_t at) { return cache.view(role::device)[at]; }
    std::byte& is(std::size_t at) { return std::as_writable_bytes(std::span{memory})[at]; }

    alignas(64) std::array<unsigned char, 64> memory{};
    software_cache cache;
    software_cached<16> driver{cache, role::driver};
    software_cached<16> device{cache, role::device};
};

constexpr std::byte one{1};
constexpr std::byte two{2};

/// Enough steps for everything random to have happened.
void time_passes(two_caches& c)
{
    le16 word{};
    software_cached<16> idle{c.cache, role::driver};
    for (int i = 0; i != 1000; ++i)
        static_cast<void>(idle.load_relaxed(word));
}

}  // namespace

TEST_CASE("a store is seen by its own side only, until it is cleaned and invalidated", "[testing]")
{
    two_caches c;
    c.driver.invalidate(&c.driver_sees(0), 64);
    c.device.invalidate(&c.device_sees(0), 64);
    c.driver_sees(20) = one;
    CHECK(c.is(20) == std::byte{});
    c.driver.clean(&c.driver_sees(20), 1);
    CHECK(c.is(20) == one);
    CHECK(c.device_sees(20) == std::byte{});
    c.device.invalidate(&c.device_sees(20), 1);
    CHECK(c.device_sees(20) == one);
    CHECK(c.cache.two_writers() + c.cache.dropped() == 0);
}

TEST_CASE("before anything is fetched a view holds bytes that nobody wrote", "[testing]")
{
    two_caches c;
    CHECK(c.driver_sees(0) != c.is(0));
    CHECK(c.device_sees(63) != c.is(63));
    c.driver.invalidate(&c.driver_sees(0), 1);
    CHECK(c.driver_sees(15) == c.is(15));
    CHECK(c.driver_sees(16) != c.is(16));
}

TEST_CASE("whole lines move, and all that a range touches", "[testing]")
{
    two_caches c;
    c.driver.invalidate(&c.driver_sees(0), 64);
    std::ranges::fill(c.cache.view(role::driver), one);
    c.driver.clean(&c.driver_sees(15), 2);
    CHECK(c.is(0) == one);
    CHECK(c.is(31) == one);
    CHECK(c.is(32) == std::byte{});
    c.driver.clean(&c.driver_sees(40), 0);  // nothing
    CHECK(c.is(40) == std::byte{});
}

TEST_CASE("a dirty line may be written back at any moment, and a clean one fetched", "[testing]")
{
    SECTION("if caches do so")
    {
        two_caches c{{.writes_back = 1, .fetches = 1}};
        c.driver.invalidate(&c.driver_sees(0), 64);
        c.device.invalidate(&c.device_sees(0), 64);
        c.driver_sees(50) = one;
        time_passes(c);
        CHECK(c.is(50) == one);
        CHECK(c.device_sees(50) == one);
    }
    SECTION("but not if they keep what they have")
    {
        two_caches c;
        c.driver.invalidate(&c.driver_sees(0), 64);
        c.device.invalidate(&c.device_sees(0), 64);
        c.driver_sees(50) = one;
        time_passes(c);
        CHECK(c.is(50) == std::byte{});
        c.cache.settle();
        CHECK(c.is(50) == std::byte{});
    }
    SECTION("and a line that is dirty is not fetched")
    {
        two_caches c{{.fetches = 1}};
        c.driver.invalidate(&c.driver_sees(0), 64);
        c.device.invalidate(&c.device_sees(0), 64);
        c.device_sees(0) = two;
        c.driver_sees(1) = one;
        c.driver.clean(&c.driver_sees(1), 1);
        time_passes(c);
        CHECK(c.device_sees(0) == two);
        CHECK(c.device_sees(1) == std::byte{});
    }
}

TEST_CASE("what is cleaned may still be on its way, in order, until a full barrier", "[testing]")
{
    bool was_late = false;
    for (std::uint32_t seed = 1; seed != 50; ++seed) {
        two_caches c{{.posts = 200}, seed};
        c.driver.invalidate(&c.driver_sees(0), 64);
        c.driver_sees(0) = one;
        c.driver.clean(&c.driver_sees(0), 1);
        c.driver_sees(60) = one;
        c.driver.clean(&c.driver_sees(60), 1);
        was_late = was_late || c.is(60) != one;
        CHECK_FALSE((c.is(60) == one && c.is(0) != one));
        c.driver.full_barrier();
        CHECK(c.is(0) == one);
        CHECK(c.is(60) == one);
    }
    CHECK(was_late);
}

TEST_CASE("a side reads its own write-back even while that is on its way", "[testing]")
{
    for (std::uint32_t seed = 1; seed != 20; ++seed) {
        two_caches c{{.posts = 250}, seed};
        c.driver_sees(0) = one;
        c.driver.clean(&c.driver_sees(0), 1);
        c.driver.invalidate(&c.driver_sees(0), 1);
        CHECK(c.driver_sees(0) == one);
    }
}

TEST_CASE("a line with two writers is noticed when one of them loses what it wrote", "[testing]")
{
    two_caches c;
    c.driver.invalidate(&c.driver_sees(0), 64);
    c.device.invalidate(&c.device_sees(0), 64);
    const auto write = [](auto& side, std::byte& at, std::byte value) {
        at = value;
        side.clean(&at, 1);
    };
    write(c.driver, c.driver_sees(17), one);
    SECTION("by whoever wrote there before and did not look again")
    {
        write(c.device, c.device_sees(18), one);  // it may have been handed the line
        write(c.driver, c.driver_sees(17), two);
        CHECK(c.is(18) != one);
        CHECK(c.cache.two_writers() == 1);
        CHECK(c.cache.last_mistake() == 16);
    }
    SECTION("not where each looks before it writes")
    {
        c.device.invalidate(&c.device_sees(18), 1);
        write(c.device, c.device_sees(18), one);
        c.driver.invalidate(&c.driver_sees(17), 1);
        write(c.driver, c.driver_sees(17), two);
        CHECK(c.is(18) == one);
        CHECK(c.cache.two_writers() == 0);
    }
    SECTION("not where the wire format wants it so")
    {
        c.cache.admit_two_writers(20, 1);
        write(c.device, c.device_sees(18), one);
        write(c.driver, c.driver_sees(17), two);
        CHECK(c.cache.two_writers() == 0);
    }
    SECTION("not in lines of their own")
    {
        write(c.device, c.device_sees(32), one);
        write(c.driver, c.driver_sees(17), two);
        CHECK(c.cache.two_writers() == 0);
    }
}

TEST_CASE("an invalidate that drops what was written is noticed", "[testing]")
{
    two_caches c;
    c.driver.invalidate(&c.driver_sees(0), 64);
    c.driver_sees(33) = one;
    c.driver.invalidate(&c.driver_sees(40), 1);
    CHECK(c.driver_sees(33) == std::byte{});
    CHECK(c.cache.dropped() == 1);
    CHECK(c.cache.last_mistake() == 32);
}

TEST_CASE("requests can be ignored, and somebody else moves before each step", "[testing]")
{
    two_caches c;
    std::string seen;
    c.cache.ignores = [&](const cache_request& r) {
        seen += (r.by == role::driver ? "driver " : "device ") + std::to_string(static_cast<int>(r.what)) +
                " " + std::to_string(r.at) + "+" + std::to_string(r.bytes) + ";";
        return r.what == cache_operation::clean;
    };
    int moves = 0;
    c.cache.between = [&](role) { ++moves; };
    c.driver_sees(4) = one;
    c.driver.clean(&c.driver_sees(4), 2);
    CHECK(c.is(4) == std::byte{});
    c.device.invalidate(&c.device_sees(4), 2);
    CHECK(c.device_sees(4) == std::byte{});
    c.device.full_barrier();
    CHECK(seen == "driver 0 4+2;device 1 4+2;device 2 0+0;");
    CHECK(moves == 3);
}
