// A peer that writes anything into its half of the memory between any two steps; suite `hostile` does more of it.

#include "bus/corruption.hpp"
#include "support/catch.hpp"

#include <rpmsg/virtio/status.hpp>

#include <cstdint>

using namespace corruption;

TEMPLATE_TEST_CASE("whatever a peer writes, and whenever, calls end, and all is there when it is done",
                   "[bus][hostile][random][rule3]", flags_board, events_board, lite_board)
{
    const auto liar = GENERATE(virtio::role::driver, virtio::role::device);
    std::uint32_t faults = 0;
    std::uint32_t arrived = 0;
    for (std::uint32_t seed = 1; seed != 60; ++seed) {
        exchange<TestType> lies{liar, seed};
        INFO("seed " << seed);
        CHECK(lies.run(300) == "");
        CHECK(lies.writes() > 100);
        faults += lies.faults();
        arrived += lies.arrived();
    }
    CHECK(faults > 100);    // they were noticed,
    CHECK(arrived > 1000);  // and there was traffic to break
}
