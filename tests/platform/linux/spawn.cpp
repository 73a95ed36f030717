#include <rpmsg/platform/linux/spawn.hpp>

#include <rpmsg/platform/linux/link_files.hpp>

#include "must.hpp"
#include "support/catch.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::must;
using rpmsg::errc;

namespace {

/// Runs one of the hidden tests below in a process of its own, silently.
rpmsg::result<child_process> start(const char* test)
{
    return child_process::start(this_program, std::array{test, "--out", "/dev/null"});
}

}  // namespace

TEST_CASE("the spawned side of a link", "[.][spawned]")
{
    const auto socket = adopt_socket(child_process::socket_argument);
    REQUIRE(socket);
    const auto link = receive_link(*socket, 1min);
    REQUIRE(link);
    REQUIRE(await_readable(link->wakes_device.get(), 1min));
    link->memory.bytes()[1] = link->memory.bytes()[0];
    eventfd_doorbell{link->wakes_driver}.ring();
}

TEST_CASE("the spawned side that never ends", "[.][spawned]")
{
    for (;;)
        ::pause();
}

TEST_CASE("a child takes a link over its socket and answers", "[platform]")
{
    auto child = start("the spawned side of a link");
    REQUIRE(child);
    const auto link = link_files::create(4096);
    REQUIRE(link);
    REQUIRE(send_link(child->socket(), *link));
    link->memory.bytes()[0] = std::byte{99};
    eventfd_doorbell{link->wakes_device}.ring();

    CHECK(await_readable(link->wakes_driver.get(), 1min));
    CHECK(link->memory.bytes()[1] == std::byte{99});
    const auto ended = child->wait(1min);
    REQUIRE(ended);
    CHECK(*ended == exit_status{0, 0});
    CHECK(child->wait(0s).value_or(exit_status{1, 1}) == exit_status{0, 0});
    CHECK(child->pid() == -1);
    CHECK(child->kill().error() == errc::system);
    CHECK(errno == ESRCH);
}

TEST_CASE("a child runs until it is killed", "[platform]")
{
    auto child = start("the spawned side that never ends");
    REQUIRE(child);
    CHECK(child->wait(2ms).error() == errc::timed_out);

    SECTION("by a signal, which its status tells")
    {
        REQUIRE(child->kill());
        const auto ended = child->wait(1min);
        REQUIRE(ended);
        CHECK(*ended == exit_status{0, SIGKILL});
    }
    SECTION("by the end of its owner")
    {
        const auto pid = child->pid();
        {
            const auto owner = std::exchange(*child, child_process{});
            CHECK(::kill(pid, 0) == 0);
        }
        CHECK(::kill(pid, 0) == -1);
        CHECK(errno == ESRCH);
    }
    SECTION("by the next one that its owner is given")
    {
        const auto pid = child->pid();
        *child = child_process{};
        CHECK(::kill(pid, 0) == -1);
        CHECK(child->wait(0s).error() == errc::system);
    }
}

TEST_CASE("our end of the socket hangs up when the child has ended", "[platform]")
{
    auto child = start("no test has this name");
    REQUIRE(child);
    CHECK(receive_link(child->socket(), 1min).error() == errc::system);
    CHECK(errno == ECONNRESET);
    CHECK(child->wait(1min));
}

TEST_CASE("a program that cannot be started says why", "[platform]")
{
    CHECK(child_process::start("/no/such/program", {}).error() == errc::system);
    CHECK(errno == ENOENT);
    CHECK(child_process::start("/", {}).error() == errc::system);
    CHECK(errno == EACCES);

    SECTION("and one with more arguments than there is room for is not started")
    {
        const std::vector<const char*> many(child_process::most_arguments + 1, "x");
        CHECK(child_process::start(this_program, many).error() == errc::too_long);
    }
}

TEST_CASE("the socket's number on the command line is not believed", "[platform]")
{
    for (const auto* const text : {"", "x", "3x", " 3", "-1", "1000000", "99999999999"})
        CHECK(adopt_socket(text).error() == errc::malformed);

    SECTION("when it is no socket")
    {
        const auto bell = must(make_eventfd());
        CHECK(adopt_socket(std::to_string(bell.get())).error() == errc::unsupported);
        CHECK(::fcntl(bell.get(), F_GETFD) >= 0);
    }
    SECTION("but looked at, and closed on exec from then on")
    {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
        const file_descriptor ours{ends[0]};
        const auto theirs = adopt_socket(std::to_string(ends[1]));
        REQUIRE(theirs);
        CHECK(theirs->get() == ends[1]);
        CHECK((::fcntl(ends[1], F_GETFD) & FD_CLOEXEC) != 0);
    }
}
