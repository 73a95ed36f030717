#include <rpmsg/platform/linux/char_file.hpp>

#include "fake_rpmsg.hpp"
#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <span>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::fake_rpmsg;
using rpmsg::errc;

namespace {

/// A node whose other end is a socket: messages are whole, and may be empty.
struct pair {
    pair()
    {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
        ours = char_file{file_descriptor{ends[0]}};
        theirs = file_descriptor{ends[1]};
    }
    char_file ours;
    file_descriptor theirs;
    std::array<std::byte, 256> room{};
};

}  // namespace

TEST_CASE("a message of no bytes is a message", "[platform]")
{
    pair both;
    CHECK(both.ours.read(both.room).error() == errc::empty);
    REQUIRE(::send(both.theirs.get(), "", 0, 0) == 0);
    REQUIRE(::send(both.theirs.get(), "abc", 3, 0) == 3);
    CHECK(both.ours.read(both.room).value_or(99) == 0);
    CHECK(both.ours.read(both.room).value_or(99) == 3);
    CHECK(both.ours.read(both.room).error() == errc::empty);
}

TEST_CASE("what the kernel says to a write is said as errc", "[platform]")
{
    pair both;
    ::signal(SIGPIPE, SIG_IGN);  // of sockets; nodes raise none
    CHECK(both.ours.write(both.room) == errc{});
    CHECK(both.ours.write({}) == errc{});
    const std::vector<std::byte> huge(1 << 20);
    CHECK(both.ours.write(huge) == errc::too_long);
    CHECK(both.ours.says_writable());
    while (both.ours.write(both.room) == errc{}) {}
    CHECK(both.ours.write(both.room) == errc::full);
    CHECK_FALSE(both.ours.says_writable());
    SECTION("and a wait for room ends with the time")
    {
        const auto start = std::chrono::steady_clock::now();
        both.ours.await_writable(true, 20ms);
        CHECK(std::chrono::steady_clock::now() - start >= 20ms);
    }
    SECTION("or with the other end, even where the kernel does not say when there is room")
    {
        both.theirs.reset();
        both.ours.await_writable(false, 1h);
        static_cast<void>(both.ours.write(both.room));  // a socket says ECONNRESET once
        CHECK(both.ours.write(both.room) == errc::link_down);
    }
    CHECK(char_file{}.write(both.room) == errc::system);
}

TEST_CASE("opening a node that is not there says whether to try again", "[platform]")
{
    fake_rpmsg fake;
    CHECK(char_file::open(fake.root(), 0).error() == errc::not_ready);
    CHECK(char_file::open("/nowhere", 0).error() == errc::system);

    fake.add_node(1, "virtio0", "x", 1, 2);
    auto opened = char_file::open(fake.root(), 1);
    REQUIRE(opened);
    CHECK((::fcntl(opened->fd(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(opened->fd(), F_GETFD) & FD_CLOEXEC) != 0);
    opened->destroy();  // which a FIFO cannot; it is closed all the same
    CHECK_FALSE(*opened);
}
