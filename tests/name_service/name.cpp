#include <rpmsg/name_service/name.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <type_traits>

using namespace rpmsg;

namespace {

/// The 32 bytes of a name in a message; what is behind the terminator is `garbage`.
std::array<char, wire::name_size> heard(std::string_view text, char garbage = '\0')
{
    std::array<char, wire::name_size> bytes{};
    bytes.fill(garbage);
    std::copy_n(text.begin(), std::min(text.size(), bytes.size()), bytes.begin());
    if (text.size() < bytes.size())
        bytes[text.size()] = '\0';
    return bytes;
}

constexpr const char* longest = "abcdefghijklmnopqrstuvwxyz01234";    // 31 characters
constexpr const char* too_long = "abcdefghijklmnopqrstuvwxyz012345";  // 32

static_assert(!std::is_convertible_v<const char*, name>, "only a literal is checked when it is compiled");
static_assert(!std::is_constructible_v<name, std::string>);

}  // namespace

// @spec Linux include/linux/mod_devicetable.h, RPMSG_NAME_SIZE
TEST_CASE("a literal of 1 to 31 characters is a name", "[name_service][openamp-3.4]")
{
    constexpr name shortest{"a"};
    constexpr name full{"abcdefghijklmnopqrstuvwxyz01234"};
    CHECK(std::string_view{shortest.c_str()} == "a");
    CHECK(std::string_view{full.c_str()} == longest);
    CHECK_FALSE(full.empty());
}

TEST_CASE("no name is empty and is no channel's", "[name_service]")
{
    constexpr name none{};
    CHECK(none.empty());
    CHECK(none.c_str() == nullptr);
    CHECK_FALSE(none.is(heard("")));
    CHECK_FALSE(none.is(heard("a")));
}

// @spec Linux include/linux/mod_devicetable.h, RPMSG_NAME_SIZE
TEST_CASE("a name of 32 characters or more is an error and is not cut", "[name_service][openamp-3.4][rule6]")
{
    CHECK(name::from_static(too_long).error() == errc::name_too_long);
    CHECK(name::from_static("").error() == errc::name_too_long);
    REQUIRE(name::from_static(longest));
    CHECK(name::from_static(longest)->c_str() == longest);
}

TEST_CASE("a name is looked for in all of what the peer wrote", "[name_service]")
{
    constexpr name echo{"echo"};
    CHECK(echo.is(heard("echo")));
    CHECK_FALSE(echo.is(heard("ech")));
    CHECK_FALSE(echo.is(heard("echo2")));
    CHECK_FALSE(echo.is(heard("Echo")));
    CHECK_FALSE(echo.is(heard("")));

    SECTION("and what stands behind its terminator means nothing") { CHECK(echo.is(heard("echo", '\xA5'))); }
}

// @spec Linux include/linux/mod_devicetable.h, RPMSG_NAME_SIZE
TEST_CASE("of an unterminated name of 32 bytes the first 31 count", "[name_service][openamp-3.4][rule3]")
{
    const auto full = name::from_static(longest);
    REQUIRE(full);
    CHECK(full->is(heard(longest)));
    CHECK(full->is(heard(too_long)));
    CHECK_FALSE(full->is(heard("Abcdefghijklmnopqrstuvwxyz012345")));
    constexpr name shorter{"abc"};
    CHECK_FALSE(shorter.is(heard(too_long)));
}
