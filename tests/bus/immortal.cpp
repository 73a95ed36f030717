#include <rpmsg/bus/immortal.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <rpmsg/bus/observer.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;

namespace {

struct board_before_main : loopback_board {
    using wait = policy::spin;
};

constexpr std::size_t rings_at = 4096;
constexpr std::size_t buffers_at = 5 * 4096;
alignas(4096) constinit std::array<std::byte, buffers_at + std::size_t{32} * 512> memory{};
constinit wire::rpmsg_table table = wire::make_rpmsg_table(
    policy::feature::name_service, {.address = 0x1000'0000 + rings_at}, {.address = 0x1000'0000 + 3 * 4096});
constexpr policy::offset map{memory, 0x1000'0000};

std::string heard;

// All of it is made when it is compiled: nothing runs before main, nothing after.
constinit immortal<device_bus<board_before_main>> device{table,
                                                         policy::set<board_before_main>{.address_map = map}};
constinit immortal<driver_bus<board_before_main>> driver{
    table, buffer_pool{.to_driver = std::span{memory}.subspan(buffers_at)},
    policy::set<board_before_main>{.address_map = map}};
constinit immortal echo{device, [](message in) { return in.payload(); }};
constinit immortal ping{driver, [](std::span<const std::byte> answer) { heard = text(answer); }};
// Of a bus alone nothing can be deduced but another of its kind.
constinit immortal silent{driver};

static_assert(std::is_trivially_destructible_v<decltype(device)>, "no __aeabi_atexit");
static_assert(std::is_trivially_destructible_v<decltype(driver)>);
static_assert(std::is_trivially_destructible_v<decltype(echo)> &&
              std::is_trivially_destructible_v<decltype(silent)>);
static_assert(!std::is_copy_constructible_v<decltype(echo)> && !std::is_move_constructible_v<decltype(echo)>);
static_assert(sizeof(echo) == sizeof(endpoint{device, [](message in) { return in.payload(); }}));

}  // namespace

TEST_CASE("what lives for ever is made before main and has no destructor", "[bus]")
{
    REQUIRE(echo.open("echo"));
    REQUIRE(ping.open("echo"));
    for (int i = 0; i != 6; ++i) {
        driver.poll();
        device.poll();
    }
    REQUIRE(ping.is_bound());
    REQUIRE(ping.try_send(bytes("for ever")));
    device.poll();
    driver.poll();
    CHECK(heard == "for ever");

    SECTION("and can be closed and opened all the same")
    {
        CHECK(silent.open(address{5}));
        CHECK(silent.close());
    }
    CHECK(echo.close());
    CHECK(ping.close());
    driver.stop();
    device.stop();
}

TEST_CASE("an endpoint of an immortal bus may be mortal", "[bus]")
{
    endpoint mortal{device};
    REQUIRE(mortal.open(address{77}));
    observer watch{device};
    REQUIRE(watch.open());
}
