#include <rpmsg/policy/board.hpp>

#include <rpmsg/testing/recording_board.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

using namespace rpmsg::policy;

namespace {

struct small_board : board_defaults {
    using address_map = identity<0x2000'0000, 0x8000>;
};
struct mapped_board : board_defaults {
    using address_map = offset;
};
struct no_map : board_defaults {};
struct wrong_doorbell : small_board {
    using doorbell = int;
};
struct wrong_coherence : small_board {
    using coherence = coherent_memory;
};
struct wrong_exclusion : small_board {
    using exclusion = spin_lock;
};
struct wrong_wait : small_board {
    using wait = int;
};
struct wrong_clock : small_board {
    using clock = int;
};
struct wrong_lifecycle : small_board {
    using lifecycle = int;
};
struct wrong_dialect : small_board {
    using dialect = int;
};
struct wrong_ring : small_board {
    using ring = int;
};
struct wrong_inbound : small_board {
    static constexpr int inbound = 1;
};

static_assert(board<small_board> && board<mapped_board> && board<rpmsg::testing::recording_board>);
static_assert(!board<no_map>, "which memory the peer may name is the board's to say");
static_assert(!board<wrong_doorbell> && !board<wrong_coherence> && !board<wrong_exclusion> &&
              !board<wrong_wait>);
static_assert(!board<wrong_clock> && !board<wrong_lifecycle> && !board<wrong_dialect> && !board<wrong_ring>);
static_assert(!board<wrong_inbound>);

// Policies that do nothing occupy nothing (rule 11).
static_assert(sizeof(set<small_board>) == 1);
static_assert(sizeof(set<mapped_board>) == sizeof(offset));

std::array<std::byte, 16> memory;

constinit set<small_board> made_before_main;
constinit set<mapped_board> mapped_before_main{.address_map = offset{std::span{memory}, 0x1000}};

}  // namespace

TEST_CASE("a board's defaults are those of a peer that keeps to the specification", "[policy]")
{
    STATIC_REQUIRE(std::same_as<small_board::doorbell, no_doorbell>);
    STATIC_REQUIRE(std::same_as<small_board::coherence, smp>);
    STATIC_REQUIRE(std::same_as<small_board::dialect, linux_kernel>);
    STATIC_REQUIRE(small_board::ring::capacity == 16);
    CHECK(small_board::inbound == inbound::always);
}

TEST_CASE("a set hands in the policies that have state, by name", "[policy]")
{
    CHECK(mapped_before_main.address_map.to_local(0x1000, 16) == memory.data());
    CHECK(made_before_main.lifecycle.peer() == peer_life::unknown);
}
