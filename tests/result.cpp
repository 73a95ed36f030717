#include <rpmsg/result.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

using rpmsg::errc;
using rpmsg::result;

namespace {

result<int> half(int number) noexcept
{
    if (number % 2 != 0)
        return errc::malformed;
    return number / 2;
}

result<void> only_even(int number) noexcept
{
    if (number % 2 != 0)
        return errc::malformed;
    return {};
}

constinit result<int> made_before_main{7};
constinit result<void> done_before_main;

static_assert(std::is_trivially_copyable_v<result<int>> && std::is_trivially_copyable_v<result<void>>);
static_assert(sizeof(errc) == 1 && sizeof(result<void>) == 1 && sizeof(result<std::uint8_t>) == 2);
static_assert(static_cast<int>(errc::full) == 1, "0 is what stands for no error");
static_assert(!std::is_convertible_v<result<int>, bool> && !std::is_convertible_v<result<void>, bool>);
static_assert(std::is_nothrow_constructible_v<result<int>, int> &&
              std::is_nothrow_constructible_v<result<int>, errc>);
static_assert(std::is_same_v<result<int>::value_type, int> && std::is_same_v<result<void>::value_type, void>);

}  // namespace

TEST_CASE("a result holds a value or the reason why there is none", "[result]")
{
    SECTION("a value")
    {
        const auto done = half(6);
        CHECK(done.has_value());
        CHECK(static_cast<bool>(done));
        CHECK(*done == 3);
        CHECK(done.error() == errc{});
        CHECK(done.value_or(1) == 3);
    }
    SECTION("a reason")
    {
        const auto failed = half(5);
        CHECK_FALSE(failed.has_value());
        CHECK_FALSE(static_cast<bool>(failed));
        CHECK(failed.error() == errc::malformed);
        CHECK(failed.value_or(1) == 1);
    }
    SECTION("nothing but that it was done")
    {
        CHECK(only_even(2).has_value());
        CHECK(static_cast<bool>(only_even(2)));
        CHECK(only_even(2).error() == errc{});
    }
    SECTION("nothing but the reason why it was not")
    {
        CHECK_FALSE(only_even(1).has_value());
        CHECK_FALSE(static_cast<bool>(only_even(1)));
        CHECK(only_even(1).error() == errc::malformed);
    }
    SECTION("made at compile time")
    {
        CHECK(*made_before_main == 7);
        CHECK(done_before_main.has_value());
    }
}

TEST_CASE("a result's value is reached as through a pointer", "[result]")
{
    struct point {
        int x = 0;
        int y = 0;
    };
    result<point> here{point{1, 2}};

    here->y = 5;
    (*here).x = 4;

    const auto& seen = here;
    CHECK(seen->x == 4);
    CHECK((*seen).y == 5);
}

TEST_CASE("a value that only moves goes in and out of a result", "[result]")
{
    result<std::unique_ptr<int>> owner{std::make_unique<int>(3)};
    CHECK(**owner == 3);

    const std::unique_ptr<int> taken = *std::move(owner);
    CHECK(*taken == 3);
    CHECK(*owner == nullptr);
}
