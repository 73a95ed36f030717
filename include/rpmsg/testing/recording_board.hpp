#pragma once

#include <rpmsg/policy/board.hpp>
#include <rpmsg/testing/manual_clock.hpp>
#include <rpmsg/testing/recording_address_map.hpp>
#include <rpmsg/testing/recording_coherence.hpp>
#include <rpmsg/testing/recording_doorbell.hpp>
#include <rpmsg/testing/recording_exclusion.hpp>
#include <rpmsg/testing/recording_lifecycle.hpp>
#include <rpmsg/testing/recording_wait.hpp>

namespace rpmsg::testing {

/// A board all of whose policies write down what they are asked for. A test derives from it what differs.
struct recording_board : policy::board_defaults {
    using doorbell = recording_doorbell;
    using coherence = recording_coherence;
    using address_map = recording_address_map;
    using exclusion = recording_exclusion;
    using wait = recording_wait;
    using clock = manual_clock;
    using lifecycle = recording_lifecycle;
};
static_assert(policy::board<recording_board>);

}  // namespace rpmsg::testing
