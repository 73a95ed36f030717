#include <rpmsg/wire/vring.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <type_traits>

using namespace rpmsg::wire;

static_assert(sizeof(descriptor) == 16 && offsetof(descriptor, addr) == 0 && offsetof(descriptor, len) == 8);
static_assert(offsetof(descriptor, flags) == 12 && offsetof(descriptor, next) == 14);
static_assert(sizeof(avail) == 4 && offsetof(avail, flags) == 0 && offsetof(avail, idx) == 2);
static_assert(sizeof(used_element) == 8 && offsetof(used_element, id) == 0 &&
              offsetof(used_element, len) == 4);
static_assert(sizeof(used) == 4 && offsetof(used, flags) == 0 && offsetof(used, idx) == 2);
static_assert(alignof(descriptor) <= 4 && alignof(avail) == 2 && alignof(used) == 2 &&
              alignof(used_element) == 4);
static_assert(descriptor_next == 1 && descriptor_write == 2 && descriptor_indirect == 4);
static_assert(avail_no_interrupt == 1 && used_no_notify == 1);
static_assert(std::is_trivially_copyable_v<descriptor> && std::is_standard_layout_v<descriptor>);

// @spec virtio 1.2, 2.7.5; virtio 1.2, 2.7.6; virtio 1.2, 2.7.8
TEST_CASE("every byte of a vring's parts belongs to the field that the spec says", "[wire]")
{
    CHECK(
        hex_of(descriptor{.addr = 0x0807060504030201, .len = 0x0c0b0a09, .flags = 0x0e0d, .next = 0x100f}) ==
        "0102030405060708090a0b0c0d0e0f10");
    CHECK(hex_of(avail{.flags = 0x0201, .idx = 0x0403}) == "01020304");
    CHECK(hex_of(used_element{.id = 0x04030201, .len = 0x08070605}) == "0102030405060708");
    CHECK(hex_of(used{.flags = 0x0201, .idx = 0x0403}) == "01020304");
}

// @spec virtio 1.2, 2.7.5
TEST_CASE("a posted receive buffer has the bytes that OpenAMP's driver writes", "[wire]")
{
    CHECK(hex_of(descriptor{.addr = 0x3ed10000, .len = 512, .flags = descriptor_write, .next = 1}) ==
          "0000d13e000000000002000002000100");
}
