// One end starts anew while the other sleeps, after as many messages as make it hard to see.
//
// A life of an end is a bus that is never destroyed: a processor that is reset, or a process that is killed.

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;

namespace {

struct eight : loopback_board {
    using ring = policy::ring_of<8>;
};
struct eight_with_events : eight {
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};

/// One end from its start to its sudden death, with an endpoint that numbers what it sends.
template <typename Bus, typename Models>
class life {
    using receiver = std::function<void(std::span<const std::byte>)>;
    using told = std::function<void(address)>;

public:
    template <typename... Where>
    life(std::uint32_t generation, address local, address peer, const Models& models, Where&&... where)
        : bus{std::forward<Where>(where)..., models},
          generation_{generation},
          end_{bus,
               receiver{[this](std::span<const std::byte> payload) { hear(payload); }},
               {told{[this](address) { ++bound; }}},
               {told{[this](address) { ++unbound; }}}}
    {
        must(end_.open(local, towards{peer}));
    }

    /// @return Whether there was a buffer.
    bool send()
    {
        const std::array next{generation_, sent};
        const bool went = end_.try_send(std::as_bytes(std::span{next})).has_value();
        sent += went ? 1U : 0U;
        return went;
    }
    /// From now on all numbers begin again, as those of the peer that starts anew.
    void begin_anew(std::uint32_t peers_generation)
    {
        peers_generation_ = peers_generation;
        heard = 0;
    }

    immortal<Bus> bus;
    std::uint32_t sent = 0;
    std::uint32_t heard = 0;
    std::uint32_t wrong = 0;  ///< Lost, twice, out of order, or of another life.
    std::uint32_t bound = 0;
    std::uint32_t unbound = 0;

private:
    static void must(const result<void>& done) { REQUIRE(done); }
    void hear(std::span<const std::byte> payload)
    {
        std::array<std::uint32_t, 2> got{};
        REQUIRE(payload.size() == sizeof got);
        std::memcpy(&got, payload.data(), sizeof got);
        if (got[0] != peers_generation_ || got[1] != heard++)
            ++wrong;
    }

    std::uint32_t generation_;
    std::uint32_t peers_generation_ = 0;
    immortal<endpoint<typename Bus::basic, void, receiver, on_bound<told>, on_unbound<told>>> end_;
};

/// What was exchanged before an end started anew.
struct history {
    std::uint32_t messages;   ///< Each way, and heard.
    std::uint32_t in_flight;  ///< Each way, and not heard.
};
template <typename Board>
struct two_lives {
    using driver_life = life<driver_bus<Board>, policy::set<Board>>;
    using device_life = life<device_bus<Board>, policy::set<Board>>;

    loopback<Board> link;  // its memory and models; its own ends never start
    std::deque<driver_life> drivers;
    std::deque<device_life> devices;

    void new_driver()
    {
        drivers.emplace_back(static_cast<std::uint32_t>(drivers.size()), address{10}, address{20},
                             link.driver_models(), virtio::resource_table{link.table()}, link.pool());
    }
    void new_device()
    {
        devices.emplace_back(static_cast<std::uint32_t>(devices.size()), address{20}, address{10},
                             link.device_models(), virtio::resource_table{link.table()});
    }
    driver_life& driver() { return drivers.back(); }
    device_life& device() { return devices.back(); }

    [[nodiscard]] bool are_up()
    {
        for (int i = 0; i != 8; ++i) {
            driver().bus.poll();
            device().bus.poll();
        }
        return driver().bus.state() == link_state::up && device().bus.state() == link_state::up &&
               !driver().bus.has_work() && !device().bus.has_work();
    }
    /// So many messages each way, each heard.
    void exchange(std::uint32_t messages)
    {
        for (std::uint32_t i = 0; i != messages; ++i) {
            const bool went = driver().send();
            device().bus.poll();
            const bool came = device().send();
            driver().bus.poll();
            if (!went || !came)
                ++device().wrong;
        }
    }
    void live_through(const history& before)
    {
        REQUIRE(are_up());
        exchange(before.messages);
        for (std::uint32_t i = 0; i != before.in_flight; ++i) {
            REQUIRE(driver().send());
            REQUIRE(device().send());
        }
        REQUIRE(device().wrong + driver().wrong == 0);
    }
    /// All is well, and both ends have all of their buffers.
    ///
    /// @param messages  That the device has heard already.
    void check_whole(std::uint32_t messages)
    {
        CHECK(device().heard == messages);
        CHECK(driver().heard == 0);
        std::uint32_t there = 0;
        std::uint32_t back = 0;
        while (driver().send())
            ++there;
        while (device().send())
            ++back;
        CHECK(there == 8);
        CHECK(back == 8);
        CHECK(are_up());
        CHECK(device().heard == messages + 8);
        CHECK(driver().heard == 8);
        CHECK(device().wrong == 0);
        CHECK(driver().wrong == 0);
        CHECK(driver().bus.stats().total() == 0);
    }
};

/// None, one, a ring of 8, one more, and once round the indices.
history any_history()
{
    return GENERATE(history{0, 0}, history{0, 1}, history{0, 8}, history{1, 0}, history{1, 1}, history{7, 1},
                    history{8, 0}, history{8, 8}, history{9, 0}, history{16, 3}, history{65535, 1},
                    history{65536, 0});
}

}  // namespace

TEMPLATE_TEST_CASE("a driver starts over between two polls of the device, after any number of messages",
                   "[bus][restart][rule1]", eight, eight_with_events)
{
    const auto before = any_history();
    const bool moved = GENERATE(false, true);
    const bool sends_at_once = GENERATE(false, true);
    two_lives<TestType> two;
    two.new_driver();
    two.new_device();
    two.live_through(before);

    // The device sleeps from here, until the rings of the next driver are in place and in use.
    two.new_driver();
    if (moved)
        std::swap(two.link.table().vdev.vring[0].da, two.link.table().vdev.vring[1].da);
    two.driver().bus.poll();
    REQUIRE(two.driver().bus.state() == link_state::up);
    if (sends_at_once)
        REQUIRE(two.driver().send());
    two.device().begin_anew(1);

    REQUIRE(two.are_up());
    CHECK(two.device().bus.epoch() == 1);
    CHECK(two.device().unbound == 1);
    CHECK(two.device().bound == 2);
    two.device().sent = 0;
    two.check_whole(sends_at_once ? 1 : 0);
}

TEMPLATE_TEST_CASE(
    "a device starts over between two polls of the driver, and never goes on in the middle of the rings",
    "[bus][restart][rule1]", eight, eight_with_events)
{
    const auto before = any_history();
    two_lives<TestType> two;
    two.new_driver();
    two.new_device();
    two.live_through(before);

    // The driver sleeps, until the next device has looked at its rings.
    two.new_device();
    two.device().bus.poll();
    CHECK(two.device().bus.state() != link_state::up);
    CHECK(two.device().heard == 0);
    CHECK((two.link.table().vdev.status & virtio::status::needs_reset) != 0);
    two.driver().begin_anew(1);
    two.driver().sent = 0;

    REQUIRE(two.are_up());
    CHECK(two.driver().bus.epoch() == 1);
    CHECK(two.driver().unbound == 1);
    CHECK(two.driver().bound == 2);
    two.check_whole(0);
}
