#include <rpmsg/platform/linux/process_board.hpp>

#include <rpmsg/platform/linux/link_files.hpp>
#include <rpmsg/platform/linux/process_layout.hpp>
#include <rpmsg/rpmsg.hpp>

#include "must.hpp"
#include "ping_pong.hpp"
#include "support/catch.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::must;
using rpmsg::policy::vring_id;
using rpmsg::virtio::role;

namespace {

constexpr process_layout layout{.buffers = 4, .to_driver_size = 64, .to_device_size = 64};

/// A board of a user's, whose doorbell does more than ring.
struct counting_doorbell : eventfd_doorbell {
    constexpr counting_doorbell() noexcept = default;
    explicit constexpr counting_doorbell(const eventfd_doorbell& bell) noexcept : eventfd_doorbell{bell} {}
    void ring(vring_id which) noexcept
    {
        if (count != nullptr)
            ++*count;
        eventfd_doorbell::ring(which);
    }
    int* count = nullptr;
};
struct counting_board : eventfd_board {
    using doorbell = counting_doorbell;
};

/// Both ends in one process.
struct two_ends {
    link_files files = must(link_files::create(layout.size()));
    rpmsg::virtio::resource_table table = layout.write_table(files.memory.bytes());
    process_end driver{files, role::driver};
    process_end device{files, role::device};
};

}  // namespace

TEMPLATE_TEST_CASE("two ends of one link talk", "[platform]", eventfd_board, futex_board,
                   threaded<eventfd_board>, threaded<futex_board>, counting_board)
{
    two_ends link;
    rpmsg::driver_bus<TestType> driver{link.table, layout.pool(link.files.memory.bytes()),
                                       link.driver.policies<TestType>()};
    rpmsg::device_bus<TestType> device{must(process_layout::table_in(link.files.memory.bytes())),
                                       link.device.policies<TestType>()};
    int echoes = 0;
    rpmsg::endpoint echo{device, [](rpmsg::message in) { return in.payload(); }};
    rpmsg::endpoint caller{driver, [&](rpmsg::message) { ++echoes; }};
    REQUIRE(echo.open("echo"));
    REQUIRE(caller.open("echo"));

    const platform_test::until deadline{platform_test::a_hang};
    const auto poll_until = [&](auto done) {
        while (!done() && !deadline.passed()) {
            driver.poll();
            device.poll();
        }
        return done();
    };
    REQUIRE(poll_until([&] { return caller.is_bound(); }));
    REQUIRE(caller.try_send(std::as_bytes(std::span{"hello", 5})));
    CHECK(poll_until([&] { return echoes == 1; }));
}

TEMPLATE_TEST_CASE("each end rings what the other one sleeps on", "[platform]", eventfd_board, futex_board,
                   counting_board)
{
    two_ends link;
    auto driver = link.driver.policies<TestType>();
    auto device = link.device.policies<TestType>();
    const auto sleeps = [](auto& wait, auto& bell) {
        const platform_test::until deadline{platform_test::a_hang};
        wait.sleep(
            [&bell]() noexcept {
                bell.ring(vring_id::to_device);
                return false;
            },
            deadline);
        return deadline.passed();
    };
    CHECK_FALSE(sleeps(device.wait, driver.doorbell));
    CHECK_FALSE(sleeps(driver.wait, device.doorbell));
}

TEST_CASE("a board that derives from one has its own doorbell", "[platform]")
{
    two_ends link;
    int rings = 0;
    auto models = link.driver.policies<counting_board>();
    models.doorbell.count = &rings;
    models.doorbell.ring(vring_id::to_device);
    CHECK(rings == 1);
    std::uint64_t heard = 0;
    CHECK(::read(link.files.wakes_device.get(), &heard, sizeof heard) == sizeof heard);
    CHECK(heard == 1);
}

TEST_CASE("an end watches whom it is told to", "[platform]")
{
    two_ends link;
    CHECK(link.driver.peer().peer() == rpmsg::policy::peer_life::unknown);
    REQUIRE(link.driver.watch(::getpid()));
    CHECK(link.driver.peer().peer() == rpmsg::policy::peer_life::alive);
    CHECK(link.driver.policies<eventfd_board>().lifecycle.peer() == rpmsg::policy::peer_life::alive);
    CHECK(link.driver.watch(-1).error() == rpmsg::errc::system);
    CHECK(link.driver.watch(file_descriptor{}).error() == rpmsg::errc::system);
}

TEST_CASE("a futex_board that takes a killed process's place forgets that it slept", "[platform]")
{
    two_ends link;
    auto* const words = must(futex_words_at(link.files.memory.bytes(), process_layout::bells));
    words->wakes_device.sleepers = 3;
    words->wakes_driver.sleepers = 4;
    static_cast<void>(link.device.policies<futex_board>());
    CHECK(words->wakes_device.sleepers == 0);
    CHECK(words->wakes_driver.sleepers == 4);
}
