#include <rpmsg/policy/ring_size.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <type_traits>

using namespace rpmsg::policy;

namespace {

static_assert(ring_size<ring_of<1>> && ring_size<ring_of<32768>> && ring_size<ring_up_to<16>> &&
              !ring_size<int>);
static_assert(std::is_empty_v<ring_of<16>> && sizeof(ring_up_to<256>) == 2);
static_assert(ring_of<64>::capacity == 64 && ring_of<64>::count() == 64);

constinit ring_up_to<256> made_before_main;

}  // namespace

TEST_CASE("a ring of a known size takes that size only", "[policy]")
{
    ring_of<16> size;
    CHECK(size.adopt(16));
    CHECK_FALSE(size.adopt(8));
    CHECK_FALSE(size.adopt(32));
    CHECK_FALSE(size.adopt(0));
    CHECK_FALSE(size.adopt(0x1'0010));
    CHECK(size.count() == 16);
}

// @spec virtio 1.2, 2.7
TEST_CASE("a ring up to a size takes every power of two up to it", "[policy]")
{
    CHECK(made_before_main.count() == 256);

    ring_up_to<256> size;
    for (std::uint32_t num = 1; num <= 256; num *= 2) {
        CHECK(size.adopt(num));
        CHECK(size.count() == num);
    }
}

TEST_CASE("a size that a ring does not take changes nothing", "[policy]")
{
    ring_up_to<256> size;
    REQUIRE(size.adopt(64));
    const auto refused =
        GENERATE(0U, 3U, 65U, 255U, 512U, 32768U, 65536U, 0x1'0040U, 0x8000'0000U, 0xffff'ffffU);
    CHECK_FALSE(size.adopt(refused));
    CHECK(size.count() == 64);
}

// @spec virtio 1.2, 2.7
TEST_CASE("a ring may be as small as 1 and as large as 32768", "[policy]")
{
    ring_up_to<1> smallest;
    CHECK(smallest.adopt(1));
    CHECK_FALSE(smallest.adopt(2));

    ring_up_to<32768> largest;
    CHECK(largest.adopt(32768));
    CHECK(largest.count() == 32768);
    CHECK_FALSE(largest.adopt(65536));
}
