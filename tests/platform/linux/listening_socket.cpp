#include <rpmsg/platform/linux/listening_socket.hpp>

#include "must.hpp"
#include "support/catch.hpp"

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace rpmsg::platform;
using platform_test::must;
using rpmsg::errc;

namespace {

/// A path where nothing is, before and after the test.
struct free_path {
    std::string path = "/tmp/rpmsg-listening-" + std::to_string(::getpid());
    free_path() { ::unlink(path.c_str()); }
    free_path(const free_path&) = delete;
    free_path& operator=(const free_path&) = delete;
    ~free_path() { ::unlink(path.c_str()); }

    [[nodiscard]] bool is_there() const { return ::access(path.c_str(), F_OK) == 0; }
    [[nodiscard]] file_descriptor connect(int type = SOCK_STREAM) const
    {
        file_descriptor made{::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)};
        ::sockaddr_un name{};
        name.sun_family = AF_UNIX;
        path.copy(name.sun_path, path.size());
        if (::connect(made.get(), reinterpret_cast<const ::sockaddr*>(&name), sizeof name) != 0)
            made.reset();
        return made;
    }
};

}  // namespace

TEST_CASE("whoever connects is taken in, and the name goes with the object", "[platform]")
{
    const free_path at;
    {
        auto door = must(listening_socket::at(at.path));
        CHECK(door);
        CHECK(door.accept().error() == errc::empty);
        const auto knocks = at.connect();
        REQUIRE(knocks);
        CHECK(door.accept());
        CHECK(door.accept().error() == errc::empty);

        auto moved = std::move(door);
        CHECK(at.connect());
        listening_socket assigned;
        assigned = std::move(moved);
        CHECK(at.connect());
    }
    CHECK_FALSE(at.is_there());
}

TEST_CASE("a socket that nobody listens at any more is replaced", "[platform]")
{
    const free_path at;
    for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
        auto left = must(listening_socket::at(at.path, type));
        static_cast<void>(::rename(at.path.c_str(), (at.path + "-").c_str()));  // so that it is not removed
        left = listening_socket{};
        REQUIRE(::rename((at.path + "-").c_str(), at.path.c_str()) == 0);
        REQUIRE(at.is_there());
        CHECK(listening_socket::at(at.path));
    }
}

TEST_CASE("what is there already is left alone", "[platform]")
{
    const free_path at;
    SECTION("somebody who listens")
    {
        const int type = GENERATE(SOCK_STREAM, SOCK_SEQPACKET);
        const auto first = must(listening_socket::at(at.path, type));
        CHECK(listening_socket::at(at.path).error() == errc::system);
        CHECK(errno == EADDRINUSE);
        CHECK(at.connect(type));
    }
    SECTION("a file")
    {
        const file_descriptor file{::open(at.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)};
        CHECK(listening_socket::at(at.path).error() == errc::system);
        CHECK(errno == EADDRINUSE);
        CHECK(at.is_there());
    }
    SECTION("somebody else's, who came later")
    {
        auto first = must(listening_socket::at(at.path));
        REQUIRE(::unlink(at.path.c_str()) == 0);
        const auto second = must(listening_socket::at(at.path));
        first = listening_socket{};
        CHECK(at.connect());
    }
}

TEST_CASE("a path that cannot be is refused", "[platform]")
{
    CHECK(listening_socket::at("").error() == errc::too_long);
    CHECK(listening_socket::at(std::string(108, 'x')).error() == errc::too_long);
    CHECK(listening_socket::at("/no/such/folder/socket").error() == errc::system);
    CHECK(errno == ENOENT);
}
