#include <rpmsg/platform/linux/retried.hpp>

#include "support/catch.hpp"

#include <cerrno>

TEST_CASE("a call that signals interrupt is made again until they leave it alone", "[platform]")
{
    int calls = 0;

    SECTION("and its answer is the last one")
    {
        const auto answer = rpmsg::platform::retried([&] {
            errno = EINTR;
            return ++calls < 3 ? -1 : 7;
        });
        CHECK(answer == 7);
        CHECK(calls == 3);
    }
    SECTION("and its failure is the one that is not an interruption")
    {
        const auto answer = rpmsg::platform::retried([&] {
            errno = ++calls < 3 ? EINTR : EIO;
            return -1;
        });
        CHECK(answer == -1);
        CHECK(errno == EIO);
        CHECK(calls == 3);
    }
}
