#include <rpmsg/testing/recording_doorbell.hpp>

#include "support/catch.hpp"

using namespace rpmsg::testing;
using rpmsg::policy::vring_id;

namespace {

struct numbered : rpmsg::policy::doorbell_defaults {
    static constexpr bool carries_queue_id = true;
    static constexpr bool can_be_lost = true;
};
static_assert(rpmsg::policy::doorbell<basic_recording_doorbell<numbered>>);
static_assert(basic_recording_doorbell<numbered>::can_be_lost && !recording_doorbell::can_be_lost);

}  // namespace

TEST_CASE("a recording doorbell writes each ring down, with its vring", "[testing]")
{
    journal log;
    recording_doorbell bell;
    auto copy = bell;

    bell.ring(vring_id::to_device);
    copy.ring(vring_id::to_driver);

    CHECK(log.has_in_order({{event::ring, nullptr, 1}, {event::ring, nullptr, 0}}));
    CHECK(log.entries().size() == 2);
}

TEST_CASE("a recording doorbell that carries the notify id writes it down too", "[testing]")
{
    journal log;
    basic_recording_doorbell<numbered> bell{log};
    bell.ring(vring_id::to_driver, 31);
    CHECK(log.entries().back().detail == 31);
}
