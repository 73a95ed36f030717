#include <rpmsg/testing/recording_lifecycle.hpp>

#include "support/catch.hpp"

#include <cstdint>

using namespace rpmsg::testing;
using rpmsg::policy::peer_life;

TEST_CASE("a recorded peer lives and dies when the test says so", "[testing]")
{
    journal log;
    recording_lifecycle life;
    auto copy = life;

    CHECK(copy.peer() == peer_life::alive);
    life.becomes(peer_life::gone);
    CHECK(copy.peer() == peer_life::gone);
    CHECK(copy.peer() == peer_life::gone);
    life.becomes(peer_life::restarted);
    CHECK(copy.peer() == peer_life::restarted);
    CHECK(copy.peer() == peer_life::alive);
    life.becomes(peer_life::unknown);
    CHECK(copy.peer() == peer_life::unknown);

    CHECK(log.count(event::peer) == 6);
    CHECK(log.count({event::peer, nullptr, static_cast<std::uint64_t>(peer_life::gone)}) == 2);
}

TEST_CASE("a peer can die just when it is asked for", "[testing]")
{
    journal log;
    recording_lifecycle life{log};
    log.once(event::peer, [&] { life.becomes(peer_life::gone); });
    CHECK(life.peer() == peer_life::gone);
}
