#include <rpmsg/platform/linux/file_descriptor.hpp>

#include "support/catch.hpp"

#include <cerrno>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <sys/eventfd.h>

using rpmsg::platform::file_descriptor;

namespace {

file_descriptor any_file() { return file_descriptor{::eventfd(0, EFD_CLOEXEC)}; }
bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

}  // namespace

static_assert(!std::is_copy_constructible_v<file_descriptor>);
static_assert(std::is_nothrow_move_constructible_v<file_descriptor>);
static_assert(sizeof(file_descriptor) == sizeof(int));

TEST_CASE("a file descriptor is closed once, by its last owner", "[platform]")
{
    auto first = any_file();
    const int number = first.get();
    REQUIRE(is_open(number));

    SECTION("when that goes out of scope")
    {
        {
            const auto second = std::move(first);
            CHECK(second.get() == number);
        }
        CHECK_FALSE(is_open(number));
    }
    SECTION("when that is given another file")
    {
        first = any_file();
        CHECK_FALSE(is_open(number));
        CHECK(is_open(first.get()));
    }
    SECTION("when that is reset")
    {
        first.reset();
        CHECK_FALSE(first);
        CHECK_FALSE(is_open(number));
    }
    SECTION("but not when it is moved to itself")
    {
        auto& same = first;
        same = std::move(first);
        CHECK(first.get() == number);
        CHECK(is_open(number));
    }
    SECTION("but not when it was released")
    {
        {
            auto second = std::move(first);
            CHECK(second.release() == number);
        }
        CHECK(is_open(number));
        first = file_descriptor{number};
    }
}

TEST_CASE("closing a file leaves errno as it was", "[platform]")
{
    errno = ENOSPC;
    {
        const file_descriptor not_open{1'000'000};  // close() says EBADF
    }
    CHECK(errno == ENOSPC);
}

TEST_CASE("a duplicate is another number, closed on exec", "[platform]")
{
    const auto first = any_file();
    const auto second = first.duplicate();
    REQUIRE(second);
    CHECK(second->get() != first.get());
    CHECK((::fcntl(second->get(), F_GETFD) & FD_CLOEXEC) != 0);

    SECTION("and of nothing there is none")
    {
        CHECK(file_descriptor{}.duplicate().error() == rpmsg::errc::system);
    }
}
