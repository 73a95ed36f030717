// The bus where each processor has a cache of its own and knows nothing of the other's: which clean, invalidate and
// barrier is there for what. rpmsg/testing/software_cache.hpp is what they are tried on.

#include "bus/cached_link.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace cached_link;

namespace {

/// Lines stay as they are; are written back; are fetched; both, and late; arrive late.
const std::vector<cache_habits> all_habits{{}, {2, 0, 0}, {0, 2, 0}, {2, 2, 128}, {0, 0, 250}};

template <template <std::size_t> typename Board, std::size_t Line>
struct with {
    using board = Board<Line>;
    static constexpr auto line = Line;
};

/// A board that knows of no lines.
struct careless_board : flags_board<1> {};

/// Runs with one request ignored under each of some conditions until one fails.
class without {
public:
    explicit without(std::string name) : name_{std::move(name)} {}

    template <typename Board>
    bool fails(conditions with, std::uint32_t seeds)
    {
        with.line = 2;
        with.messages = 60;
        for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
            with.seed = seed;
            exchange<Board> run{with};
            run.ignore(name_);
            const auto wrong = run.run();
            names.insert(run.names().begin(), run.names().end());
            if (!wrong.empty())
                return true;
        }
        return false;
    }
    /// @param seeds  A barrier is missed only where both ends move at the very moment: that takes many.
    bool fails(std::uint32_t seeds)
    {
        return fails<flags_board<2>>({}, 1) || fails<flags_board<2>>({.habits = {4, 0, 0}}, 2) ||
               fails<events_board<2>>({}, 1) || fails<flags_board<2>>({.early = true}, 1) ||
               fails<flags_board<2>>({.habits = {4, 4, 128}}, 8) ||
               fails<events_board<2>>({.habits = {0, 0, 250}}, seeds) ||
               fails<flags_board<2>>({.habits = {0, 0, 250}}, seeds);
    }

    std::set<std::string> names;

private:
    std::string name_;
};

/// What this model cannot miss, and why.
const std::map<std::string, std::string> not_missed{
    {"driver barrier before clean status", "a clean's lines arrive before those of later cleans anyway"},
    {"device barrier before clean status", "the same"},
    {"driver barrier after clean status", "the doorbell that follows waits for the status"},
    {"device barrier after clean status", "the same"},
    {"device barrier before invalidate gfeatures", "it keeps two loads in order, and here all loads are"},
    {"driver invalidate gfeatures", "dfeatures stands in its line, and was read just before"},
    {"device invalidate used.idx",
     "the mark tells of every restart here; rpmsg-lite's layout has none: vring/ring_order.cpp"},
    {"driver invalidate pool",
     "the pool was cleaned just before, and what is received there is invalidated again"},
};

}  // namespace

TEMPLATE_TEST_CASE("messages arrive intact whatever two caches do unasked", "[bus][coherence]",
                   (with<flags_board, 64>), (with<events_board, 64>), (with<eager_board, 64>),
                   (with<flags_board, 16>), (with<flags_board, 2>), (with<events_board, 2>))
{
    for (const auto& habits : all_habits)
        for (std::uint32_t seed = 1; seed != 6; ++seed) {
            exchange<typename TestType::board> both{{.line = TestType::line, .habits = habits, .seed = seed}};
            INFO("writes back " << habits.writes_back << ", fetches " << habits.fetches << ", posts "
                                << habits.posts << ", seed " << seed);
            CHECK(both.run() == "");
            CHECK(both.cache().two_writers() == 0);
            CHECK(both.cache().dropped() == 0);
        }
}

TEST_CASE("messages arrive intact through two caches past the wraps of the indices", "[bus][coherence][long]")
{
    exchange<flags_board<64>> both{
        {.habits = {1, 1, 64}, .messages = 2 * 65536 + 1000, .restarts = false, .meddles = false}};
    CHECK(both.run() == "");
}

TEST_CASE("rings that are aligned below the line have two writers in one", "[bus][coherence]")
{
    const auto align = GENERATE(4U, 16U, 32U);
    SECTION("and whoever does not know of lines loses what it wrote")
    {
        exchange<careless_board> both{{.line = 64, .align = align, .habits = {4, 0, 0}}};
        CHECK(both.run() != "");
    }
    SECTION("so a board that does refuses them")
    {
        exchange<flags_board<64>> both{{.line = 64, .align = align, .messages = 1, .restarts = false}};
        CHECK(both.run() != "");
        CHECK(both.driver().refusal() == errc::misaligned);
        CHECK(both.device().state() == link_state::negotiating);
    }
}

TEST_CASE("a device refuses rings that are aligned below its line", "[bus][coherence]")
{
    struct plain_board : loopback_board {};
    struct lined_board : loopback_board {
        using coherence = software_cached<64>;
    };
    for (const std::uint32_t align : {4U, 16U, 32U, 64U, 128U}) {
        loopback<plain_board, lined_board> link{{.align = align}};
        link.run();
        CHECK(link.device().refusal() == (align < 64 ? errc::misaligned : errc{}));
        CHECK(link.device().state() == (align < 64 ? link_state::negotiating : link_state::up));
    }
}

TEST_CASE("without any one of the cleans, invalidates and barriers an exchange fails",
          "[bus][coherence][long]")
{
    without nothing{""};
    REQUIRE_FALSE(nothing.fails(5));
    CHECK(nothing.names.size() > 50);
    for (const auto& name : nothing.names) {
        INFO(name);
        const auto excuse = not_missed.find(name);
        const bool is_missed = excuse == not_missed.end();
        CHECK(without{name}.fails(is_missed ? 200 : 2) == is_missed);
    }
    for (const auto& [name, why] : not_missed)
        CHECK(nothing.names.contains(name));  // no excuse for what is not there
}
