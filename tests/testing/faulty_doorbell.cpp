#include <rpmsg/testing/faulty_doorbell.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstdint>

using namespace rpmsg::testing;
using namespace rpmsg::policy;

namespace {

struct by_id : doorbell_defaults {
    static constexpr bool carries_queue_id = true;
};
struct cheap : doorbell_defaults {
    static constexpr bool always_ring = true;
};

static_assert(faulty_doorbell<counting_doorbell<>>::can_be_lost);
static_assert(faulty_doorbell<counting_doorbell<by_id>>::carries_queue_id);
static_assert(faulty_doorbell<counting_doorbell<cheap>>::always_ring,
              "what it does not change is the model's own");

/// A line, and a counting doorbell behind it.
template <typename Kind = doorbell_defaults>
struct rung_over {
    explicit rung_over(const doorbell_odds& odds, std::uint32_t seed = 1) : line{odds, seed} {}
    void ring(int times)
    {
        for (int i = 0; i != times; ++i)
            if constexpr (Kind::carries_queue_id)
                bell.ring(vring_id::to_device, 5);
            else
                bell.ring(vring_id::to_device);
    }
    rung heard;
    faulty_line line;
    faulty_doorbell<counting_doorbell<Kind>> bell{counting_doorbell<Kind>{heard}, line};
};

constexpr std::uint32_t always = 256;

}  // namespace

TEST_CASE("without faults a faulty doorbell rings as the model behind it", "[testing]")
{
    rung_over<> r{{}};
    r.ring(3);
    r.bell.tick();
    CHECK(r.heard[vring_id::to_device] == 3);
    CHECK(r.heard.total() == 3);
    CHECK(r.line.counts().rung == 3);
    CHECK(r.line.counts().delivered == 3);

    rung_over<by_id> numbered{{}};
    numbered.ring(1);
    CHECK(numbered.heard.notify_id == 5);
}

TEST_CASE("a lost ring wakes nobody", "[testing]")
{
    SECTION("by the odds")
    {
        rung_over<> r{{.lost = always}};
        r.ring(10);
        CHECK(r.heard.total() == 0);
        CHECK(r.line.counts().lost == 10);
    }
    SECTION("because the test says so")
    {
        rung_over<> r{{}};
        r.line.lose_next(2);
        r.ring(5);
        CHECK(r.heard.total() == 3);
        CHECK(r.line.counts().lost == 2);
    }
}

TEST_CASE("a doubled ring wakes twice", "[testing]")
{
    rung_over<> r{{.doubled = always}};
    r.ring(10);
    CHECK(r.heard.total() == 20);
    CHECK(r.line.counts().doubled == 10);
}

TEST_CASE("a delayed ring arrives at one of the next eight ticks, with the id it had", "[testing]")
{
    rung_over<by_id> r{{.delayed = always}};
    r.ring(10);
    CHECK(r.heard.total() == 0);
    CHECK(r.line.under_way() == 10);
    int ticks = 0;
    for (; r.line.under_way() != 0; ++ticks)
        r.bell.tick();
    CHECK(ticks > 1);
    CHECK(ticks <= 8);
    CHECK(r.heard[vring_id::to_device] == 10);
    CHECK(r.heard.notify_id == 5);

    r.ring(20);  // more than can be under way: the rest is in time
    CHECK(r.line.under_way() == 16);
    CHECK(r.heard.total() == 14);
}

TEST_CASE("a spurious ring comes of itself", "[testing]")
{
    rung_over<> r{{.spurious = always}};
    for (int i = 0; i != 50; ++i)
        r.bell.tick();
    CHECK(r.line.counts().rung == 0);
    CHECK(r.line.counts().spurious == 50);
    CHECK(r.heard.total() == 50);
    CHECK(r.heard[vring_id::to_driver] != 0);
    CHECK(r.heard[vring_id::to_device] != 0);
}

TEST_CASE("a ring may say the wrong vring", "[testing]")
{
    rung_over<by_id> r{{.wrong_id = always}};
    r.ring(4);
    CHECK(r.heard[vring_id::to_driver] == 4);
    CHECK(r.heard[vring_id::to_device] == 0);
    CHECK(r.heard.notify_id != 5);
    CHECK(r.line.counts().wrong_id == 4);
}

TEST_CASE("every ring is accounted for, and the same seed brings the same", "[testing]")
{
    const doorbell_odds odds{.lost = 60, .doubled = 60, .delayed = 60, .spurious = 60, .wrong_id = 60};
    std::array<std::uint32_t, 2> lost{};
    for (auto& n : lost) {
        rung_over<> r{odds, 7};
        for (int i = 0; i != 1000; ++i) {
            r.ring(1);
            r.bell.tick();
            const auto& c = r.line.counts();
            REQUIRE(c.delivered == c.rung - c.lost - r.line.under_way() + c.doubled + c.spurious);
            REQUIRE(r.heard.total() == c.delivered);
        }
        const auto& c = r.line.counts();
        for (const auto fault : {c.lost, c.doubled, c.delayed, c.spurious, c.wrong_id})
            CHECK((fault > 100 && fault < 350));
        n = c.lost;
    }
    CHECK(lost[0] == lost[1]);
    rung_over<> other{odds, 8};
    other.ring(1000);
    CHECK(other.line.counts().lost != lost[0]);
}

TEST_CASE("on no line a faulty doorbell is the model behind it", "[testing]")
{
    faulty_doorbell<counting_doorbell<>> bell;
    bell.ring(vring_id::to_driver);
    bell.tick();
}
