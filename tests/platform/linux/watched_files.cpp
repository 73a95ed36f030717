#include <rpmsg/platform/linux/watched_files.hpp>

#include <rpmsg/platform/linux/eventfd.hpp>

#include "must.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstdint>

#include <fcntl.h>
#include <poll.h>

using namespace rpmsg::platform;
using platform_test::must;

TEST_CASE("several files can be waited for as one, and say which it was", "[platform]")
{
    const auto one = must(make_eventfd());
    const auto other = must(make_eventfd());
    watched_files files;
    REQUIRE(files);
    REQUIRE(files.add(one, 11));
    REQUIRE(files.add(other, 22));
    CHECK(files.add(one, 33).error() == rpmsg::errc::system);  // is watched already

    std::array<std::uint32_t, 4> names{};
    const auto is_readable = [&] {
        ::pollfd all{files.fd(), POLLIN, 0};
        return ::poll(&all, 1, 0) == 1;
    };
    CHECK(files.ready(names).empty());
    CHECK_FALSE(is_readable());
    eventfd_doorbell{other}.ring();
    CHECK(is_readable());
    REQUIRE(files.ready(names).size() == 1);
    CHECK(names[0] == 22);
    eventfd_doorbell{one}.ring();
    CHECK(files.ready(names).size() == 2);
    std::array<std::uint32_t, 1> room{};
    CHECK(files.ready(room).size() == 1);

    files.remove(other);
    REQUIRE(files.ready(names).size() == 1);
    CHECK(names[0] == 11);
    files.remove(file_descriptor{});  // nothing
}

TEST_CASE("a file that cannot be waited for is refused", "[platform]")
{
    const file_descriptor file{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
    watched_files files;
    CHECK(files.add(file, 1).error() == rpmsg::errc::system);
    CHECK(files.add(file_descriptor{}, 1).error() == rpmsg::errc::system);
}
