#include <rpmsg/wire/little_endian.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

using namespace rpmsg::wire;

namespace {

enum class colour : std::uint16_t { red = 0x0102 };

// On every host, not only on a little-endian one: these are said of bytes.
template <typename T>
consteval auto bytes_of(T number)
{
    return std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(little_endian<T>{number});
}
template <typename... Bytes>
consteval auto bytes(Bytes... values)
{
    return std::array<std::uint8_t, sizeof...(Bytes)>{static_cast<std::uint8_t>(values)...};
}
static_assert(bytes_of(std::uint8_t{0x12}) == bytes(0x12));
static_assert(bytes_of(std::uint16_t{0x1234}) == bytes(0x34, 0x12));
static_assert(bytes_of(std::int16_t{-2}) == bytes(0xfe, 0xff));
static_assert(bytes_of(std::uint32_t{0x12345678}) == bytes(0x78, 0x56, 0x34, 0x12));
static_assert(bytes_of(std::uint64_t{0x123456789abcdef0}) ==
              bytes(0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12));
static_assert(bytes_of(1.0F) == bytes(0, 0, 0x80, 0x3f));
static_assert(bytes_of(-2.0) == bytes(0, 0, 0, 0, 0, 0, 0, 0xc0));
static_assert(bytes_of(colour::red) == bytes(0x02, 0x01));
static_assert(std::bit_cast<le32>(bytes(0x78, 0x56, 0x34, 0x12)) == 0x12345678);
static_assert(std::bit_cast<le64>(bytes(1, 2, 3, 4, 5, 6, 7, 8)) == 0x0807060504030201);

static_assert(sizeof(little_endian<std::uint8_t>) == 1 && alignof(little_endian<std::uint8_t>) == 1);
static_assert(sizeof(little_endian<double>) == 8 && alignof(little_endian<double>) == 4);
static_assert(std::is_same_v<le64::word, std::uint32_t>, "no access to shared memory is wider than 32 bits");
static_assert(std::is_trivially_default_constructible_v<le32>,
              "laying a wire struct over memory writes nothing");
static_assert(sizeof(boolean) == 1 && std::is_trivially_copyable_v<boolean>);

constinit le32 made_before_main{0xdeadbeef};

template <typename T>
concept has_raw_word = requires(T number) { number.raw(); };
static_assert(has_raw_word<le16> && has_raw_word<le32> && !has_raw_word<le64>);

}  // namespace

// @spec virtio 1.2, 1.4
TEST_CASE("a number lies in memory least significant byte first", "[wire]")
{
    CHECK(hex_of(le16{0x1234}) == "3412");
    CHECK(hex_of(le32{0x12345678}) == "78563412");
    CHECK(hex_of(le64{0x123456789abcdef0}) == "f0debc9a78563412");
    CHECK(hex_of(little_endian<std::int32_t>{-2}) == "feffffff");
    CHECK(hex_of(little_endian{1.0F}) == "0000803f");
    CHECK(hex_of(made_before_main) == "efbeadde");
}

TEST_CASE("a number in wire order is that number", "[wire]")
{
    CHECK(le16{0x1234} == 0x1234);
    CHECK(le64{std::numeric_limits<std::uint64_t>::max()} == std::numeric_limits<std::uint64_t>::max());
    CHECK(little_endian<std::int64_t>{-5} == -5);
    CHECK(little_endian{2.5}.get() == 2.5);
    CHECK(little_endian{colour::red}.get() == colour::red);
    CHECK(le32{} == 0U);

    le32 changed{1};
    changed = 2;
    CHECK(changed.get() == 2);
}

// @spec virtio 1.2, 1.4
TEST_CASE("a number of 64 bits is two halves, the lower first", "[wire]")
{
    le64 number{0x1111111122222222};
    CHECK(hex_of(number) == "2222222211111111");

    number.write_once(0xaaaaaaaabbbbbbbb);
    CHECK(hex_of(number) == "bbbbbbbbaaaaaaaa");
    CHECK(number.read_once() == 0xaaaaaaaabbbbbbbb);
}

TEST_CASE("reading and writing once are reading and writing", "[wire]")
{
    le16 word{};
    word.write_once(0x0102);
    CHECK(hex_of(word) == "0201");
    CHECK(word.read_once() == 0x0102);

    little_endian<std::uint8_t> byte{};
    byte.write_once(0x80);
    CHECK(byte.read_once() == 0x80);

    little_endian<float> real{};
    real.write_once(-0.5F);
    CHECK(real.read_once() == -0.5F);
}

TEST_CASE("the raw word is what lies in memory", "[wire]")
{
    le16 word{0x1234};
    CHECK(le16::swapped(word.raw()) == 0x1234);

    word.raw() = le16::swapped(0x4321);
    CHECK(word == 0x4321);
    CHECK(static_cast<const void*>(&word.raw()) == static_cast<const void*>(&word));
}

TEST_CASE("everything but 0 is true", "[wire]")
{
    CHECK(hex_of(boolean{true}) == "01");
    CHECK(hex_of(boolean{false}) == "00");
    CHECK_FALSE(boolean{});
    CHECK(std::bit_cast<boolean>(std::byte{0x02}));
    CHECK(std::bit_cast<boolean>(std::byte{0x80}));
}
