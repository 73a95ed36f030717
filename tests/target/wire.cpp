// The wire formats byte for byte, as this processor stores them: its order of bytes, alignments and paddings.
#include "target/check.hpp"

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace rpmsg::wire;

/// Bytes as pairs of lower-case hex digits; only the first `text.size() / 2` are looked at.
template <typename T>
bool begins_with(const T& object, std::string_view text) noexcept
{
    const auto bytes = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(object);
    constexpr std::string_view digits = "0123456789abcdef";
    for (std::size_t i = 0; i != text.size(); ++i)
        if (digits[i % 2 == 0 ? bytes[i / 2] >> 4U : bytes[i / 2] & 15U] != text[i])
            return false;
    return text.size() / 2 <= sizeof(T);
}

}  // namespace

void target::test_wire() noexcept
{
    CHECK(sizeof(header) == 16 && alignof(header) == 4);
    CHECK(begins_with(header{.src = 0x401, .dst = 0x400, .reserved = 0, .len = 12, .flags = 0},
                      "0104000000040000000000000c000000"));
    CHECK(begins_with(
        header{.src = 0x04030201, .dst = 0x08070605, .reserved = 0x0c0b0a09, .len = 0x0e0d, .flags = 0x100f},
        "0102030405060708090a0b0c0d0e0f10"));

    CHECK(sizeof(descriptor) == 16 && sizeof(used_element) == 8);
    CHECK(begins_with(
        descriptor{.addr = 0x0807'0605'0403'0201, .len = 0x0c0b0a09, .flags = 0x0e0d, .next = 0x100f},
        "0102030405060708090a0b0c0d0e0f10"));

    // One vdev with two vrings, as Linux's loader reads it: version 1, one entry, at 20.
    constexpr auto table =
        make_rpmsg_table(1, {.address = 0x2001'1000, .align = 16, .num = 4, .notify_id = 1},
                         {.address = 0x2001'1400, .align = 16, .num = 8, .notify_id = 2});
    CHECK(sizeof table == 88);
    CHECK(begins_with(table, "0100000001000000000000000000000014000000"
                             "03000000"
                             "07000000"
                             "00000000"
                             "01000000"
                             "00000000"
                             "00000000"
                             "00020000"
                             "0010012010000000040000000100000000000000"
                             "0014012010000000080000000200000000000000"));

    // A word that two processors share is stored and loaded as a whole.
    le16 word{};
    rpmsg::policy::smp memory;
    memory.store_release(word, 0xFFFE);
    CHECK(memory.load_acquire(word) == 0xFFFE && memory.load_relaxed(word) == 0xFFFE);
    memory.store_relaxed(word, 0x0102);
    memory.full_barrier();
    CHECK(begins_with(word, "0201"));
    rpmsg::policy::system barriers;
    barriers.store_release(word, 0x0304);
    barriers.full_barrier();
    CHECK(barriers.load_acquire(word) == 0x0304);
}
