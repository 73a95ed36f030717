#include <rpmsg/platform/linux/thread_exclusion.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <thread>

using rpmsg::platform::thread_exclusion;

namespace {

constinit thread_exclusion static_one;

}  // namespace

TEST_CASE("threads know themselves and are told apart", "[platform][thread]")
{
    const auto mine = static_one.context();
    std::uintptr_t theirs = 0;
    bool twice_the_same = false;
    std::thread{[&] {
        theirs = static_one.context();
        static_one.relax();
        twice_the_same = theirs == static_one.context();
    }}.join();

    CHECK(mine == static_one.context());
    CHECK(mine != 0);
    CHECK(theirs != 0);
    CHECK(theirs != mine);
    CHECK(twice_the_same);
}

TEST_CASE("threads exclude each other", "[platform][thread]")
{
    thread_exclusion model;
    int count = 0;  // not atomic: ThreadSanitizer tells if two are in at once
    const auto work = [&] {
        for (int i = 0; i < 10'000; ++i) {
            const rpmsg::policy::scope inside{model};
            ++count;
        }
    };

    std::thread other{work};
    work();
    other.join();
    CHECK(count == 20'000);
}
