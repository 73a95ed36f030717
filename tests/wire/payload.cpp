#include <rpmsg/wire/payload.hpp>

#include <rpmsg/wire/announcement.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

using namespace rpmsg::wire;

namespace {

enum class colour : std::uint8_t { red, green };

/// A user's class that vouches for itself below.
class temperature {
public:
    constexpr temperature() noexcept = default;
    [[nodiscard]] constexpr int tenths() const noexcept { return tenths_; }

private:
    little_endian<std::int16_t> tenths_;
};

/// One that vouches in vain: it has padding.
class careless {
public:
    constexpr careless() noexcept = default;
    [[nodiscard]] constexpr unsigned sum() const noexcept { return small_ + large_; }

private:
    std::uint8_t small_ = 0;
    std::uint32_t large_ = 0;
};

}  // namespace

template <>
inline constexpr bool rpmsg::wire::is_wire_type<temperature> = true;
template <>
inline constexpr bool rpmsg::wire::is_wire_type<careless> = true;

TEST_CASE("a payload may be", "[wire]")
{
    SECTION("a single byte")
    {
        STATIC_REQUIRE(payload<std::uint8_t> && payload<std::int8_t>);
        STATIC_REQUIRE(payload<char> && payload<signed char> && payload<unsigned char> && payload<char8_t>);
        STATIC_REQUIRE(payload<std::byte>);
    }
    SECTION("a number of this little-endian host")
    {
        STATIC_REQUIRE(payload<std::uint16_t> && payload<std::int64_t> && payload<float> && payload<double>);
    }
    SECTION("a wire type")
    {
        STATIC_REQUIRE(payload<le16> && payload<le32> && payload<le64> && payload<little_endian<double>>);
        STATIC_REQUIRE(payload<boolean> && payload<little_endian<colour>>);
        STATIC_REQUIRE(payload<header> && payload<announcement> && payload<rpmsg_table>);
    }
    SECTION("a struct without padding")
    {
        struct sample {
            std::uint32_t when;
            std::array<std::int16_t, 2> axis;
        };
        struct status {
            boolean on;
            little_endian<colour> tint;
            std::byte spare[2];
            float level;
        };
        STATIC_REQUIRE(payload<sample> && payload<status>);
    }
    SECTION("a struct with default values")
    {
        struct setting {
            std::uint16_t volts = 5;
            std::uint16_t amperes = 1;
        };
        STATIC_REQUIRE(payload<setting>);
    }
    SECTION("arrays of arrays and structs of structs")
    {
        struct cell {
            std::int16_t value;
            std::array<char, 2> unit;
        };
        struct matrix {
            double rows[6][6];
            std::array<std::array<cell, 2>, 2> corners;
            const std::uint32_t version;
            cell end;
        };
        STATIC_REQUIRE(payload<matrix> && payload<std::array<float, 4>> && payload<std::array<cell, 3>>);
    }
    SECTION("as long as the longest payload")
    {
        STATIC_REQUIRE(payload<std::array<std::byte, longest_payload>>);
    }
    SECTION("a class whose author vouches for it")
    {
        struct reading {
            temperature inside;
            temperature outside;
        };
        STATIC_REQUIRE(payload<temperature> && payload<reading>);
    }
    SECTION("checked in a line")
    {
        require_payload<le32>();
        SUCCEED();
    }
}

TEST_CASE("a payload is not", "[wire]")
{
    SECTION("anything but an object")
    {
        STATIC_REQUIRE(flaw_of<void>() == flaw::no_object);
        STATIC_REQUIRE(flaw_of<int&>() == flaw::no_object);
        STATIC_REQUIRE(flaw_of<const int>() == flaw::no_object);
        STATIC_REQUIRE(flaw_of<volatile int>() == flaw::no_object);
        STATIC_REQUIRE(flaw_of<int[2]>() == flaw::no_object);
        STATIC_REQUIRE(flaw_of<int()>() == flaw::no_object);
    }
    SECTION("copied otherwise than byte by byte")
    {
        struct named {
            std::string name;
        };
        STATIC_REQUIRE(flaw_of<named>() == flaw::not_trivially_copyable);
        STATIC_REQUIRE(flaw_of<std::vector<int>>() == flaw::not_trivially_copyable);
    }
    SECTION("laid out otherwise than in C")
    {
        struct base {
            int first;
        };
        struct spread : base {
            int second;
        };
        struct referring {
            int& target;
        };
        STATIC_REQUIRE(flaw_of<spread>() == flaw::not_standard_layout);
        STATIC_REQUIRE(flaw_of<referring>() == flaw::not_standard_layout);
    }
    SECTION("longer than the longest payload")
    {
        STATIC_REQUIRE(flaw_of<std::array<std::byte, longest_payload + 1>>() == flaw::too_long);
    }
    SECTION("a bool, and has none, however deep")
    {
        struct flags {
            bool set[2];
        };
        struct nested {
            std::array<flags, 2> all;
        };
        STATIC_REQUIRE(flaw_of<bool>() == flaw::truth_value);
        STATIC_REQUIRE(flaw_of<flags>() == flaw::truth_value);
        STATIC_REQUIRE(flaw_of<nested>() == flaw::truth_value);
    }
    SECTION("an enum, and has none")
    {
        enum plain { zero };
        struct tinted {
            std::uint8_t level;
            colour tint;
        };
        STATIC_REQUIRE(flaw_of<colour>() == flaw::enumeration);
        STATIC_REQUIRE(flaw_of<plain>() == flaw::enumeration);
        STATIC_REQUIRE(flaw_of<tinted>() == flaw::enumeration);
    }
    SECTION("a pointer of any kind, and has none")
    {
        struct linked {
            const linked* next;
        };
        struct calling {
            void (*function)();
        };
        struct pointing {
            int linked::* member;
        };
        struct null {
            std::nullptr_t nothing;
        };
        STATIC_REQUIRE(flaw_of<void*>() == flaw::address);
        STATIC_REQUIRE(flaw_of<linked>() == flaw::address);
        STATIC_REQUIRE(flaw_of<calling>() == flaw::address);
        STATIC_REQUIRE(flaw_of<pointing>() == flaw::address);
        STATIC_REQUIRE(flaw_of<null>() == flaw::address);
    }
    SECTION("a number that no two machines lay out alike")
    {
        STATIC_REQUIRE(flaw_of<long double>() == flaw::long_double);
    }
    SECTION("a union, and has none")
    {
        union either {
            std::uint32_t number;
            float real;
        };
        struct holding {
            either one;
        };
        STATIC_REQUIRE(flaw_of<either>() == flaw::overlay);
        STATIC_REQUIRE(flaw_of<holding>() == flaw::overlay);
    }
    SECTION("a struct with a base class")
    {
        struct tag {};
        struct tagged : tag {
            int number;
        };
        STATIC_REQUIRE(flaw_of<tagged>() == flaw::base_class);
    }
    SECTION("a class that hides its members")
    {
        struct timed {
            std::chrono::seconds since;
        };
        STATIC_REQUIRE(flaw_of<std::span<int>>() == flaw::opaque);
        STATIC_REQUIRE(flaw_of<std::optional<std::uint8_t>>() == flaw::opaque);
        STATIC_REQUIRE(flaw_of<timed>() == flaw::opaque);
    }
    SECTION("a struct with a member that nothing makes")
    {
        struct strict {
            explicit strict(int) {}
        };
        struct holding {
            int first;
            strict second{3};
            int third;
        };
        STATIC_REQUIRE(flaw_of<holding>() == flaw::no_default);
    }
    SECTION("a struct with more members than can be told apart")
    {
        struct wide {
            char a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y;
        };
        STATIC_REQUIRE(flaw_of<wide>() == flaw::too_many_members);
    }
    SECTION("empty")
    {
        struct nothing {};
        struct holding {
            nothing none;
            std::uint8_t number;
        };
        STATIC_REQUIRE(flaw_of<nothing>() == flaw::empty);
        STATIC_REQUIRE(flaw_of<holding>() == flaw::empty);
        STATIC_REQUIRE(flaw_of<std::array<int, 0>>() == flaw::empty);
    }
    SECTION("padded")
    {
        struct between {
            std::uint8_t small;
            std::uint32_t large;
        };
        struct behind {
            float large;
            std::uint8_t small;
        };
        struct nested {
            std::array<behind, 2> pairs;
        };
        struct alignas(8) aligned {
            std::uint32_t number;
        };
        STATIC_REQUIRE(flaw_of<between>() == flaw::padding);
        STATIC_REQUIRE(flaw_of<behind>() == flaw::padding);
        STATIC_REQUIRE(flaw_of<nested>() == flaw::padding);
        STATIC_REQUIRE(flaw_of<aligned>() == flaw::padding);
        STATIC_REQUIRE(flaw_of<careless>() == flaw::padding);
    }
}
