#include <rpmsg/name_service/announcement.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace rpmsg;

namespace {

wire::announcement from_peer(std::string_view text, std::uint32_t endpoint, std::uint32_t flags)
{
    wire::announcement out{};
    out.name.fill('\xA5');
    text.copy(out.name.data(), out.name.size());
    if (text.size() < out.name.size())
        out.name[text.size()] = '\0';
    out.addr = endpoint;
    out.flags = flags;
    return out;
}

/// What we announce, written over what was there before.
std::array<std::byte, sizeof(wire::announcement)> announced(name service, address endpoint, channel_news news)
{
    std::array<std::byte, sizeof(wire::announcement)> out;
    out.fill(std::byte{0xA5});
    announce(out.data(), service, endpoint, news);
    return out;
}

}  // namespace

// @spec Linux include/linux/rpmsg/ns.h, struct rpmsg_ns_msg
TEST_CASE("what we announce is 40 bytes with the name zero-padded", "[name_service][rule4]")
{
    const auto came = announced("rpmsg-echo", address{0x400}, channel_news::came);
    CHECK(hex(came) == "72706d73672d6563686f" + std::string(44, '0') + "00040000" + "00000000");

    const auto went = announced("rpmsg-echo", address{0x400}, channel_news::went);
    CHECK(hex(went) == "72706d73672d6563686f" + std::string(44, '0') + "00040000" + "01000000");
}

TEST_CASE("the longest name that we announce is terminated", "[name_service][rule4]")
{
    const auto out = announced("abcdefghijklmnopqrstuvwxyz01234", address{1}, channel_news::came);
    CHECK(out[30] == std::byte{'4'});
    CHECK(out[31] == std::byte{0});
}

// @spec Linux include/linux/rpmsg/ns.h, struct rpmsg_ns_msg
// @spec Linux include/linux/rpmsg/ns.h, enum rpmsg_ns_flags
TEST_CASE("what the peer announces is read as it is meant", "[name_service]")
{
    const announcement came{from_peer("rpmsg-tty", 0x401, 0)};
    CHECK(came.name() == "rpmsg-tty");
    CHECK(came.address() == address{0x401});
    CHECK(came.news() == channel_news::came);

    const announcement went{from_peer("rpmsg-tty", 0x401, 1)};
    CHECK(went.news() == channel_news::went);

    SECTION("of the flags only bit 0 counts")
    {
        CHECK(announcement{from_peer("x", 1, 0xFFFF'FFFE)}.news() == channel_news::came);
        CHECK(announcement{from_peer("x", 1, 0xFFFF'FFFF)}.news() == channel_news::went);
    }
    SECTION("one that was not made of a message says nothing")
    {
        CHECK(announcement{}.name().empty());
        CHECK(announcement{}.news() == channel_news::came);
    }
}

// @spec Linux drivers/rpmsg/rpmsg_ns.c, rpmsg_ns_cb()
TEST_CASE("a name of 32 bytes without terminator has 31 characters", "[name_service][openamp-3.4][rule3]")
{
    const announcement heard{from_peer("abcdefghijklmnopqrstuvwxyz0123456789", 1, 0)};
    CHECK(heard.name() == "abcdefghijklmnopqrstuvwxyz01234");
    CHECK(heard.text().back() == '\0');

    const auto message = from_peer("abcdefghijklmnopqrstuvwxyz0123456789", 1, 0);
    const announcement copied{reinterpret_cast<const std::byte*>(&message)};
    CHECK(copied.name() == "abcdefghijklmnopqrstuvwxyz01234");
    CHECK(copied.text().back() == '\0');
}

TEST_CASE("a peer that rewrites its message does not change what was heard", "[name_service][rule1]")
{
    auto message = from_peer("first", 7, 0);
    const announcement heard{reinterpret_cast<const std::byte*>(&message)};
    message = from_peer("second-and-longer", 8, 1);
    CHECK(heard.name() == "first");
    CHECK(heard.address() == address{7});
    CHECK(heard.news() == channel_news::came);
}
