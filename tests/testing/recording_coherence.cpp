#include <rpmsg/testing/recording_coherence.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

using namespace rpmsg::testing;
using rpmsg::wire::le16;
using rpmsg::wire::le32;

namespace {

using with_lines = basic_recording_coherence<rpmsg::policy::smp, 64>;
static_assert(rpmsg::policy::coherence<with_lines>);
static_assert(with_lines::line == 64 && recording_coherence::line == 1);

}  // namespace

TEST_CASE("recording coherence does what is asked and writes it down", "[testing]")
{
    journal log;
    recording_coherence model;
    le16 word{7};

    CHECK(model.load_acquire(word) == 7);
    CHECK(model.load_relaxed(word) == 7);
    model.store_release(word, 8);
    CHECK(word == 8);
    model.store_relaxed(word, 9);
    CHECK(word == 9);
    model.full_barrier();
    model.clean(&word, sizeof word);
    model.invalidate(&word, sizeof word);

    CHECK(log.has_in_order({{event::load_acquire, &word, 7},
                            {event::load_relaxed, &word, 7},
                            {event::store_release, &word, 8},
                            {event::store_relaxed, &word, 9},
                            {event::full_barrier},
                            {event::clean, &word, 2},
                            {event::invalidate, &word, 2}}));
    CHECK(log.entries().size() == 7);
}

TEST_CASE("the order of plain stores and a released index shows in the watched memory", "[testing]")
{
    struct {
        std::array<le32, 2> entries;
        le16 idx;
    } ring{};
    journal log;
    log.watch(std::as_bytes(std::span{ring.entries}));
    recording_coherence model;

    const auto entry_at_release = [&] { return log.find({event::store_release, &ring.idx})->memory[0]; };

    SECTION("as it should be: the entry, then the index")
    {
        ring.entries[0] = 5;
        model.store_release(ring.idx, 1);
        CHECK(entry_at_release() == std::byte{5});
    }
    SECTION("as it should not be: the index, then the entry")
    {
        model.store_release(ring.idx, 1);
        ring.entries[0] = 5;
        CHECK(entry_at_release() == std::byte{0});
    }
}

TEST_CASE("the peer can move between any two steps", "[testing]")
{
    journal log;
    recording_coherence model;
    le16 theirs{0};
    log.once(event::full_barrier, [&] { theirs = 1; });

    CHECK(model.load_acquire(theirs) == 0);
    model.full_barrier();
    CHECK(model.load_acquire(theirs) == 1);

    log.once(event::load_acquire, [&] { theirs = 2; });
    CHECK(model.load_acquire(theirs) == 2);
    CHECK(log.entries().back().value == 2);
}
