#include <rpmsg/virtio/status.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <initializer_list>

using namespace rpmsg::virtio;

static_assert(status::reset == 0);
static_assert(status::acknowledge == 1 && status::driver == 2 && status::driver_ok == 4);
static_assert(status::features_ok == 8 && status::needs_reset == 0x40 && status::failed == 0x80);
static_assert(sizeof(status::failed) == 1, "it is one byte of the resource table");
static_assert(role::driver != role::device);

// @spec virtio 1.2, 2.1
TEST_CASE("every status is a bit of its own", "[virtio]")
{
    unsigned all = status::reset;
    for (const auto bit : {status::acknowledge, status::driver, status::driver_ok, status::features_ok,
                           status::needs_reset, status::failed}) {
        CHECK((bit & (bit - 1U)) == 0);
        CHECK((all & bit) == 0);
        all |= bit;
    }
    CHECK(all == 0xCF);
}
