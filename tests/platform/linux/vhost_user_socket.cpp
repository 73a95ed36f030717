#include <rpmsg/platform/linux/vhost_user_socket.hpp>

#include "sent_files.hpp"
#include "support/catch.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <sys/socket.h>

using namespace rpmsg::platform;
using namespace rpmsg::platform::vhost_user;
using rpmsg::errc;

namespace {

std::vector<std::byte> bytes_of(const header& head, std::span<const std::byte> body = {})
{
    std::vector<std::byte> whole(sizeof head + body.size());
    std::memcpy(whole.data(), &head, sizeof head);
    if (!body.empty())
        std::memcpy(whole.data() + sizeof head, body.data(), body.size());
    return whole;
}

}  // namespace

TEST_CASE("messages are put together from whatever pieces come, with their own files", "[platform]")
{
    platform_test::stream_pair link;
    const int file = link.first.get();
    peer_socket in{std::move(link.second)};
    CHECK(in.next().error() == errc::empty);

    const std::uint64_t number = 0x1122334455667788;
    const auto first = bytes_of({12, 9, 8}, std::as_bytes(std::span{&number, 1}));
    const auto second = bytes_of({1, 1, 0});
    auto both = first;
    both.insert(both.end(), second.begin(), second.end());
    link.send(std::span{both}.first(5), {file});
    CHECK(in.next().error() == errc::empty);
    link.send(std::span{both}.subspan(5, 10));
    CHECK(in.next().error() == errc::empty);
    link.send(std::span{both}.subspan(15));
    const auto one = in.next();
    REQUIRE(one);
    CHECK(one->what == request::set_vring_kick);
    CHECK(one->as<std::uint64_t>() == number);
    CHECK(one->files == 1);
    CHECK(in.files().count() == 1);
    const auto other = in.next();
    REQUIRE(other);
    CHECK(other->what == request::get_features);
    CHECK_FALSE(other->wants_answer);
    CHECK(in.files().count() == 0);
    CHECK(in.next().error() == errc::empty);
}

TEST_CASE("a message that nobody knows is passed over whole", "[platform]")
{
    platform_test::stream_pair link;
    peer_socket in{std::move(link.second)};
    link.send(bytes_of({99, 9, 5}, std::array<std::byte, 5>{}));
    link.send(bytes_of({3, 9, 0}));
    CHECK(in.next().error() == errc::unsupported);
    CHECK(in.head().request == 99);
    CHECK(in.next()->what == request::set_owner);
}

TEST_CASE("after the end there is nothing", "[platform]")
{
    platform_test::stream_pair link;
    peer_socket in{std::move(link.second)};
    link.send(std::array{std::byte{1}, std::byte{0}});
    link.first.reset();
    CHECK(in.next().error() == errc::system);
    CHECK(errno == ECONNRESET);
}

TEST_CASE("a reply is sent whole or not at all", "[platform]")
{
    platform_test::stream_pair link;
    const std::uint32_t word = 7;
    REQUIRE(send_message(link.first, 1, flag::reply, std::as_bytes(std::span{&word, 1})));
    struct {
        header head;
        std::uint32_t word;
    } seen{};
    REQUIRE(::recv(link.second.get(), &seen, sizeof seen, 0) == sizeof seen);
    CHECK(seen.head.request == 1);
    CHECK(seen.head.flags == 5);
    CHECK(seen.head.size == 4);
    CHECK(seen.word == 7);

    // Nobody reads: full at some time, and never waits.
    auto why = errc{};
    for (int i = 0; i < 1'000'000 && why == errc{}; ++i)
        why = send_message(link.first, 1, 0, {}).error();
    CHECK(why == errc::full);
    link.second.reset();
    CHECK(send_message(link.first, 1, 0, {}).error() == errc::system);
}
