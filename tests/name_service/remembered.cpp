#include <rpmsg/name_service/remembered.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

using namespace rpmsg;

namespace {

announcement of(name service, std::uint32_t endpoint)
{
    std::array<std::byte, sizeof(wire::announcement)> message{};
    announce(message.data(), service, address{endpoint}, channel_news::came);
    return announcement{message.data()};
}

}  // namespace

// Who remembers nothing has no room for it.
static_assert(std::is_empty_v<remembered<0>>);

TEST_CASE("announcements are remembered in order, each once", "[name_service]")
{
    remembered<4> heard;
    heard.add(of("a", 1));
    heard.add(of("b", 2));
    heard.add(of("a", 1));
    heard.add(of("a", 3));
    REQUIRE(heard.size() == 3);
    CHECK(heard[0].address() == address{1});
    CHECK(heard[1].name() == "b");
    CHECK(heard[2].address() == address{3});
}

TEST_CASE("without room the oldest announcement is forgotten", "[name_service]")
{
    remembered<2> heard;
    heard.add(of("a", 1));
    heard.add(of("b", 2));
    heard.add(of("c", 3));
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].name() == "b");
    CHECK(heard[1].name() == "c");
}

TEST_CASE("an announcement that was withdrawn is not remembered", "[name_service]")
{
    remembered<4> heard;
    heard.add(of("a", 1));
    heard.add(of("b", 2));
    heard.add(of("c", 3));

    heard.forget(of("b", 2));
    REQUIRE(heard.size() == 2);
    CHECK(heard[1].name() == "c");

    SECTION("but one of another address or name stays")
    {
        heard.forget(of("a", 2));
        heard.forget(of("z", 1));
        CHECK(heard.size() == 2);
    }
    SECTION("what found its endpoint is taken out")
    {
        heard.erase(0);
        REQUIRE(heard.size() == 1);
        CHECK(heard[0].name() == "c");
    }
    SECTION("all of them go with the link")
    {
        heard.clear();
        CHECK(heard.size() == 0);
    }
}

TEST_CASE("one announcement fits where there is room for one", "[name_service]")
{
    remembered<1> heard;
    heard.add(of("a", 1));
    heard.add(of("b", 2));
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].name() == "b");
    heard.forget(of("b", 2));
    CHECK(heard.size() == 0);
}

TEST_CASE("who remembers nothing takes announcements all the same", "[name_service]")
{
    remembered<0> nothing;
    nothing.add(of("a", 1));
    nothing.forget(of("a", 1));
    nothing.clear();
}
