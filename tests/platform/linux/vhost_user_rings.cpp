#include <rpmsg/platform/linux/vhost_user_rings.hpp>

#include "must.hpp"
#include "support/catch.hpp"

#include <cstdint>

#include <sys/socket.h>

using namespace rpmsg::platform;
using platform_test::must;
using rpmsg::errc;
using rpmsg::policy::vring_id;

namespace {

struct both {
    watched_files files;
    vhost_user::rings rings{files};
    file_descriptor kick = must(make_eventfd());

    void place(std::uint32_t ring)
    {
        const auto at = rpmsg::vring::layout_of(8, 4096);
        REQUIRE(rings.size(ring, 8) == errc{});
        REQUIRE(rings.place(ring, 0x1000, at.avail, at.used) == errc{});
    }
    void give_kick(std::uint32_t ring) { REQUIRE(rings.kick_by(ring, must(kick.duplicate())) == errc{}); }
    void set_up()
    {
        for (const std::uint32_t ring : {0U, 1U}) {
            place(ring);
            give_kick(ring);
            rings.enable(ring, true);
        }
    }
    void ring()
    {
        eventfd_doorbell{kick}.ring();
        rings.take_kick(0);
    }
};

}  // namespace

TEST_CASE("rings are up when both have a place, are enabled, and the guest has rung", "[platform]")
{
    both of;
    of.set_up();
    CHECK(of.rings.epoch() == 0);
    of.ring();
    const auto first = of.rings.epoch();
    CHECK(first != 0);
    CHECK(of.rings.where(vring_id::to_driver).num == 8);
    CHECK(of.rings.where(vring_id::to_driver).align == 4096);

    SECTION("one that is disabled takes them down") { of.rings.enable(1, false); }
    SECTION("one that is moved takes them down") { of.place(0); }
    SECTION("one of another size takes them down") { CHECK(of.rings.size(0, 4) == errc{}); }
    SECTION("other memory takes them down") { of.rings.forget(); }
    SECTION("a guest that has gone takes them down") { of.rings.clear(); }
    SECTION("another way to ring takes them down") { of.rings.ring_inband(true); }
    CHECK(of.rings.epoch() == 0);
    of.rings.ring_inband(false);
    of.set_up();
    of.ring();
    CHECK(of.rings.epoch() != 0);
    CHECK(of.rings.epoch() != first);
}

TEST_CASE("a request that is refused changes nothing", "[platform]")
{
    both of;
    of.set_up();
    of.ring();
    const auto up = of.rings.epoch();
    CHECK(of.rings.size(0, 3) == errc::bad_ring_size);
    CHECK(of.rings.size(0, 0) == errc::bad_ring_size);
    CHECK(of.rings.size(0, 65536) == errc::bad_ring_size);
    CHECK(of.rings.place(0, 0x1000, 1, 2) == errc::misaligned);
    CHECK(of.rings.epoch() == up);
}

TEST_CASE("the guest's doorbells are counted, and a call goes to who reads it", "[platform]")
{
    both of;
    of.set_up();
    eventfd_doorbell{of.kick}.ring();
    eventfd_doorbell{of.kick}.ring();
    CHECK(of.rings.take_kick(0));
    CHECK_FALSE(of.rings.take_kick(0));
    CHECK(of.rings.kicks() == 2);

    of.rings.call(vring_id::to_device);  // nobody has said how
    const auto bell = must(make_eventfd());
    REQUIRE(of.rings.call_by(1, must(bell.duplicate()), false) == errc{});
    of.rings.call(vring_id::to_device);
    CHECK(eventfd_bell{bell}.take_all() == 1);
    REQUIRE(of.rings.call_by(1, {}, false) == errc{});
    of.rings.call(vring_id::to_device);
    CHECK(eventfd_bell{bell}.take_all() == 0);
    CHECK(of.rings.calls() == 3);
}
