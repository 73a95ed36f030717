#include <rpmsg/testing/counting_doorbell.hpp>

#include "support/catch.hpp"

using namespace rpmsg::testing;
using namespace rpmsg::policy;

namespace {

struct by_id : doorbell_defaults {
    static constexpr bool carries_queue_id = true;
};

static_assert(doorbell<counting_doorbell<by_id>>);
static_assert(counting_doorbell<by_id>::carries_queue_id && !counting_doorbell<>::carries_queue_id);

}  // namespace

TEST_CASE("a counting doorbell counts by vring, and its copies with it", "[testing]")
{
    rung times;
    counting_doorbell<> bell{times};
    auto copy = bell;
    bell.ring(vring_id::to_driver);
    copy.ring(vring_id::to_device);
    copy.ring(vring_id::to_device);
    CHECK(times[vring_id::to_driver] == 1);
    CHECK(times[vring_id::to_device] == 2);
    CHECK(times.total() == 3);
    CHECK(times.notify_id == rpmsg::wire::resource_any);
}

TEST_CASE("a counting doorbell that carries an id keeps the last one", "[testing]")
{
    rung times;
    counting_doorbell<by_id> bell{times};
    bell.ring(vring_id::to_driver, 7);
    bell.ring(vring_id::to_driver, 8);
    CHECK(times.notify_id == 8);
    CHECK(times.total() == 2);
}

TEST_CASE("a counting doorbell that is nobody's counts nothing", "[testing]")
{
    counting_doorbell<> bell;
    bell.ring(vring_id::to_driver);
    counting_doorbell<by_id> numbered;
    numbered.ring(vring_id::to_driver, 1);
}
