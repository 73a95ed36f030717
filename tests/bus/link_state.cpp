#include <rpmsg/bus/link_state.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;

namespace {

using states = std::vector<link_state>;
using is = link_state;

}  // namespace

TEMPLATE_TEST_CASE("a link goes from down over negotiating to up", "[bus]", as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    states seen;
    observer watch{here, on_link{[&](link_state s) { seen.push_back(s); }}};
    REQUIRE(watch.open());
    CHECK(here.state() == is::down);

    link.run();
    CHECK(seen == states{is::negotiating, is::up});
    CHECK(here.state() == is::up);

    SECTION("and down when it is stopped, until it is started")
    {
        seen.clear();
        here.stop();
        CHECK(seen == states{is::down});
        CHECK(here.state() == is::down);
        link.run();
        CHECK(here.state() == is::down);

        here.start();
        link.run();
        CHECK(here.state() == is::up);
        CHECK(seen == states{is::down, is::negotiating, is::up});
    }
    SECTION("and from lost to negotiating when the peer stops")
    {
        // A device that stops leaves the rings to the driver, who may read on: it is not lost by that.
        seen.clear();
        TestType::there(link).stop();
        here.poll();
        here.poll();
        if constexpr (TestType::role == virtio::role::device) {
            CHECK(seen == states{is::lost, is::negotiating});
            CHECK(here.state() == is::negotiating);
            TestType::there(link).start();
            link.run();
            CHECK(seen == states{is::lost, is::negotiating, is::up});
        } else {
            CHECK(seen.empty());
            CHECK(here.state() == is::up);
        }
    }
}

TEMPLATE_TEST_CASE("a link waits for a peer that is not there yet", "[bus]", as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    for (int i = 0; i != 5; ++i)
        here.poll();
    // The table is there, so the driver is up before the device has looked at it.
    CHECK(here.state() == (TestType::role == virtio::role::driver ? is::up : is::negotiating));
    link.run();
    CHECK(here.state() == is::up);
}
