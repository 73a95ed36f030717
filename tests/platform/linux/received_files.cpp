#include <rpmsg/platform/linux/received_files.hpp>

#include <rpmsg/platform/linux/eventfd.hpp>

#include "must.hpp"
#include "sent_files.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>

using namespace rpmsg::platform;
using platform_test::must;

namespace {

template <std::size_t Most>
void receive(const platform_test::stream_pair& socket, received_files<Most>& files)
{
    std::byte letter{};
    ::iovec body{&letter, 1};
    ::msghdr message{};
    message.msg_iov = &body;
    message.msg_iovlen = 1;
    files.expect(message);
    REQUIRE(::recvmsg(socket.second.get(), &message, MSG_CMSG_CLOEXEC) == 1);
    files.take(message);
}

bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

}  // namespace

TEST_CASE("files that come beside a message are owned, until somebody takes them", "[platform]")
{
    const platform_test::stream_pair socket;
    const auto bell = must(make_eventfd());
    int taken = -1;
    int left = -1;
    {
        received_files<4> files;
        socket.send(std::array{std::byte{}}, {bell.get(), bell.get()});
        receive(socket, files);
        REQUIRE(files.count() == 2);
        CHECK_FALSE(files.too_many());
        left = files[0].get();
        const auto mine = std::move(files[1]);
        taken = mine.get();
        files.clear();
        CHECK(files.count() == 0);
        CHECK_FALSE(is_open(left));
        CHECK(is_open(taken));

        socket.send(std::array{std::byte{}});
        receive(socket, files);
        CHECK(files.count() == 0);
        socket.send(std::array{std::byte{}}, {bell.get()});
        receive(socket, files);
        left = files[0].get();
        CHECK(is_open(left));
    }
    CHECK_FALSE(is_open(left));
}

TEST_CASE("more files than there is room for are closed, and that is said", "[platform]")
{
    const platform_test::stream_pair socket;
    const auto bell = must(make_eventfd());
    received_files<2> files;
    socket.send(std::array{std::byte{}}, std::vector<int>(5, bell.get()));
    receive(socket, files);
    CHECK(files.too_many());
    CHECK(files.count() <= received_files<2>::room);
    files.clear();
    CHECK_FALSE(files.too_many());

    // And a message in pieces, with files beside each.
    for (std::size_t i = 0; i <= received_files<2>::room / 2; ++i) {
        socket.send(std::array{std::byte{}}, std::vector<int>(2, bell.get()));
        receive(socket, files);
    }
    CHECK(files.too_many());
}
