#include <rpmsg/bus/batch.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <rpmsg/testing/recording_board.hpp>

#include <chrono>
#include <optional>
#include <type_traits>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;

namespace {

/// Two contexts may call, and the test says which does.
struct two_contexts : loopback_board {
    using exclusion = recording_exclusion;
    using doorbell = recording_doorbell;
};

}  // namespace

TEMPLATE_TEST_CASE("a batch of sends rings once, at its end", "[bus][rule10]", as_driver, as_device)
{
    loopback<> link;
    endpoint out{TestType::here(link)};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    const auto& rang = link.rang(TestType::role);
    const auto before = rang.total();
    {
        const batch together{TestType::here(link)};
        for (int i = 0; i != 5; ++i)
            CHECK(out.try_send(bytes("x")));
        CHECK(rang.total() == before);
        {
            const batch inner{TestType::here(link)};
            CHECK(out.try_acquire().send(1));
        }
        CHECK(rang.total() == before);
    }
    CHECK(rang.total() == before + 1);
    CHECK(rang[tx_ring(TestType::role)] != 0);

    SECTION("without one each send rings")
    {
        CHECK(out.try_send(bytes("x")));
        CHECK(out.try_send(bytes("x")));
        CHECK(rang.total() == before + 3);
    }
    SECTION("one without sends does not ring")
    {
        {
            const batch nothing{TestType::here(link)};
        }
        CHECK(rang.total() == before + 1);
    }
}

TEMPLATE_TEST_CASE("a call that waits for a buffer rings first, even in a batch", "[bus][rule5]", as_driver,
                   as_device)
{
    manual_clock::set(0);
    loopback<> link;
    int heard = 0;
    endpoint in{TestType::there(link), [&](message) { ++heard; }};
    endpoint out{TestType::here(link)};
    REQUIRE(in.open(address{2}));
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    const auto& rang = link.rang(TestType::role);
    const auto before = rang.total();

    {
        const batch together{TestType::here(link)};
        for (int i = 0; i != 16; ++i)
            REQUIRE(out.try_send(bytes("x")));
        CHECK(rang.total() == before);
        CHECK(out.send(bytes("x"), 10ms));
        CHECK(rang.total() == before + 1);
        CHECK(heard != 0);
    }
    CHECK(rang.total() == before + 2);
}

TEST_CASE("a batch that begins in another context while one waits is counted", "[bus]")
{
    journal log;
    manual_clock::set(0);
    loopback<loopback_board, two_contexts> link;
    auto& device = link.device();
    endpoint out{device};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();

    std::optional<batch<std::remove_reference_t<decltype(device)>>> other;
    {
        const batch mine{device};
        for (int i = 0; i != 16; ++i)
            REQUIRE(out.try_send(bytes("x")));
        log.once(rpmsg::testing::event::ring, [&] {
            log.run_as(2);
            other.emplace(device);
            log.run_as(1);
        });
        REQUIRE(out.send(bytes("x"), 5ms));
        REQUIRE(other);
    }
    link.run();
    log.clear();
    REQUIRE(out.try_send(bytes("x")));
    CHECK(log.count(rpmsg::testing::event::ring) == 0);
    other.reset();
    CHECK(log.count(rpmsg::testing::event::ring) == 1);
    REQUIRE(out.try_send(bytes("x")));
    CHECK(log.count(rpmsg::testing::event::ring) == 2);
    CHECK(log.mistakes() == 0);
}

using a_batch = batch<device_bus<loopback_board>>;
static_assert(!std::is_copy_constructible_v<a_batch> && !std::is_move_constructible_v<a_batch>);
