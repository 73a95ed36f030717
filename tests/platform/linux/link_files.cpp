#include <rpmsg/platform/linux/link_files.hpp>

#include "must.hpp"
#include "support/catch.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::must;
using rpmsg::errc;

namespace {

struct two_sockets {
    file_descriptor ours;
    file_descriptor theirs;

    explicit two_sockets(int type = SOCK_SEQPACKET)
    {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) == 0);
        ours = file_descriptor{ends[0]};
        theirs = file_descriptor{ends[1]};
    }

    /// Sends what send_link() would not.
    void send(std::string_view text, const std::vector<int>& files) const
    {
        std::array<char, 32> body{};
        text.copy(body.data(), body.size());
        alignas(::cmsghdr) std::array<unsigned char, CMSG_SPACE(16 * sizeof(int))> control{};
        ::iovec part{body.data(), text.size()};
        ::msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        if (!files.empty()) {
            message.msg_control = control.data();
            message.msg_controllen = CMSG_SPACE(files.size() * sizeof(int));
            auto* const rights = CMSG_FIRSTHDR(&message);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(files.size() * sizeof(int));
            std::memcpy(CMSG_DATA(rights), files.data(), files.size() * sizeof(int));
        }
        REQUIRE(::sendmsg(ours.get(), &message, 0) == static_cast<::ssize_t>(text.size()));
    }
};

constexpr std::string_view opening{link_message::opening.data(), link_message::opening.size()};

bool is_closed_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

int open_files()
{
    int count = 0;
    for (int fd = 0; fd < 1024; ++fd)
        count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return count;
}

bool is_rung(const file_descriptor& bell)
{
    ::pollfd look{bell.get(), POLLIN, 0};
    return ::poll(&look, 1, 0) == 1;
}

}  // namespace

TEST_CASE("a link that is sent is the link that is received", "[platform]")
{
    const int type = GENERATE(SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM);
    const two_sockets sockets{type};
    const auto sent = link_files::create(8192);
    REQUIRE(sent);
    REQUIRE(send_link(sockets.ours, *sent));
    const auto received = receive_link(sockets.theirs, 1min);
    REQUIRE(received);

    CHECK(received->memory.bytes().size() == 8192);
    sent->memory.bytes()[4000] = std::byte{42};
    CHECK(received->memory.bytes()[4000] == std::byte{42});

    eventfd_doorbell{received->wakes_driver}.ring();
    CHECK(is_rung(sent->wakes_driver));
    CHECK_FALSE(is_rung(sent->wakes_device));
    eventfd_doorbell{sent->wakes_device}.ring();
    CHECK(is_rung(received->wakes_device));

    for (const int fd : {received->memory.fd(), received->wakes_driver.get(), received->wakes_device.get()})
        CHECK(is_closed_on_exec(fd));
}

TEST_CASE("a link that does not come is not waited for beyond the deadline", "[platform]")
{
    two_sockets sockets;
    CHECK(receive_link(sockets.theirs, 2ms).error() == errc::timed_out);
    CHECK(receive_link(sockets.theirs, 0s).error() == errc::timed_out);

    SECTION("nor once the sender has hung up")
    {
        sockets.ours.reset();
        CHECK(receive_link(sockets.theirs, 1min).error() == errc::system);
        CHECK(errno == ECONNRESET);
    }
}

TEST_CASE("a link to nobody is not sent and raises no signal", "[platform]")
{
    two_sockets sockets;
    const auto link = link_files::create(4096);
    REQUIRE(link);

    SECTION("when the receiver has hung up")
    {
        sockets.theirs.reset();
        CHECK(send_link(sockets.ours, *link).error() == errc::system);
        CHECK(errno == EPIPE);
    }
    SECTION("when the receiver takes nothing")
    {
        rpmsg::result<void> sent;
        for (int i = 0; i < 10'000 && sent; ++i)
            sent = send_link(sockets.ours, *link);
        CHECK(sent.error() == errc::system);
        CHECK((errno == EAGAIN || errno == ETOOMANYREFS));
    }
    SECTION("when the link is empty")
    {
        CHECK(send_link(sockets.ours, link_files{}).error() == errc::system);
    }
}

TEST_CASE("a message that is no link is refused and its files are closed", "[platform]")
{
    const two_sockets sockets;
    const auto link = must(link_files::create(4096));
    const int memory = link.memory.fd();
    const int bell = link.wakes_driver.get();
    const int before = open_files();

    SECTION("since it is too short") { sockets.send(opening.substr(1), {memory, bell, bell}); }
    SECTION("since it is too long") { sockets.send("rpmsg-1\n!", {memory, bell, bell}); }
    SECTION("since it says something else") { sockets.send("rpmsg-2\n", {memory, bell, bell}); }
    SECTION("since it brings no files") { sockets.send(opening, {}); }
    SECTION("since it brings too few") { sockets.send(opening, {memory, bell}); }
    SECTION("since it brings one too many") { sockets.send(opening, {memory, bell, bell, bell}); }
    SECTION("since it brings many too many")
    {
        sockets.send(opening, {memory, bell, bell, bell, bell, bell, bell, bell});
    }

    CHECK(receive_link(sockets.theirs, 1min).error() == errc::malformed);
    CHECK(open_files() == before);
}

TEST_CASE("a file that is not what a link needs is refused and all are closed", "[platform]")
{
    const two_sockets sockets;
    const auto link = must(link_files::create(4096));
    const int memory = link.memory.fd();
    const int bell = link.wakes_driver.get();
    file_descriptor other;

    SECTION("since the memory is not sealed")
    {
        other = file_descriptor{::memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
        REQUIRE(::ftruncate(other.get(), 4096) == 0);
        sockets.send(opening, {other.get(), bell, bell});
    }
    SECTION("since the memory is no memory") { sockets.send(opening, {bell, bell, bell}); }
    SECTION("since a bell is a pipe, which raises SIGPIPE")
    {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
        other = file_descriptor{ends[1]};
        ::close(ends[0]);
        sockets.send(opening, {memory, bell, other.get()});
    }
    SECTION("since a bell is a file, which would be written")
    {
        sockets.send(opening, {memory, memory, bell});
    }
    SECTION("since a bell is another thing without a name")
    {
        other = file_descriptor{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
        sockets.send(opening, {memory, bell, other.get()});
    }
    SECTION("since a bell is an eventfd that blocks")
    {
        other = file_descriptor{::eventfd(0, EFD_CLOEXEC)};
        sockets.send(opening, {memory, other.get(), bell});
    }

    const int before = open_files();
    CHECK(receive_link(sockets.theirs, 1min).error() == errc::unsupported);
    CHECK(open_files() == before);
}

TEST_CASE("a link of no size is not made", "[platform]")
{
    CHECK(link_files::create(0).error() == errc::system);
}
