#include <rpmsg/testing/recording_board.hpp>

#include "support/catch.hpp"

#include <vector>

using namespace rpmsg::testing;

TEST_CASE("the policies of a recording board write into one journal", "[testing]")
{
    journal log;
    rpmsg::policy::set<recording_board> policies;
    recording_board::exclusion exclusion;

    exclusion.leave(exclusion.enter());
    policies.coherence.full_barrier();
    policies.doorbell.ring(rpmsg::policy::vring_id::to_device);
    policies.lifecycle.peer();

    CHECK(log.events() ==
          std::vector{event::enter, event::leave, event::full_barrier, event::ring, event::peer});
    CHECK(log.mistakes() == 0);
}
