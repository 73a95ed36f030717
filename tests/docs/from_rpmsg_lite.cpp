// What stands here for rpmsg-lite's functions, where it is not what stands for OpenAMP's. docs/from-openamp.md shows
// what is between `// snippet:` and `// end`.

#include <rpmsg/rpmsg.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <utility>

using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;

namespace {

void ring_the_remote(rpmsg::policy::vring_id which) noexcept;

// snippet: rings-without-a-table
inline constexpr auto rings = rpmsg::virtio::rpmsg_lite_places(0x2000'0000, 4, 0x10, 0x400);
inline constinit rpmsg::virtio::first_doorbell master_rang;

struct remote_board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::offset;
    using dialect = rpmsg::policy::rpmsg_lite;
    using ring = rpmsg::policy::ring_of<4>;
    static constexpr rpmsg::virtio::fixed_rings<rpmsg::virtio::role::device> resources{rings, master_rang};
};
void mailbox_isr() { master_rang.rang(); }  // each time
// end

struct master_board : rpmsg::policy::board_defaults {
    using doorbell = rpmsg::policy::callback_doorbell<ring_the_remote>;
    using address_map = rpmsg::policy::offset;
    using dialect = rpmsg::policy::rpmsg_lite;
    using ring = rpmsg::policy::ring_of<4>;
    static constexpr rpmsg::virtio::fixed_rings<rpmsg::virtio::role::driver> resources{rings};
};

void ring_the_remote(rpmsg::policy::vring_id /*which*/) noexcept { mailbox_isr(); }

alignas(64) std::array<std::byte, 0x800 + std::size_t{8} * 512> shared{};
const rpmsg::policy::offset map{shared, 0x2000'0000};
const auto buffers = std::span{shared}.subspan(0x800);

int masked = 0;
struct interrupts {
    static std::uint32_t save_and_mask() noexcept { return static_cast<std::uint32_t>(masked++); }
    static void restore(std::uint32_t /*before*/) noexcept {}
    static std::uintptr_t context() noexcept { return 0; }
};

// snippet: locks
struct board_with_interrupts : loopback_board {
    using exclusion = rpmsg::policy::interrupt_mask<interrupts>;  // held for a few indices, never for a copy
};
// end

}  // namespace

TEST_CASE("rpmsg_lite_remote_init, rpmsg_lite_master_init, rpmsg_lite_is_link_up: a bus on fixed rings",
          "[docs]")
{
    // snippet: remote-and-master
    rpmsg::device_bus<remote_board> remote{remote_board::resources, {.address_map = map}};
    rpmsg::driver_bus<master_board> master{
        master_board::resources, {.to_driver = buffers}, {.address_map = map}};
    // end
    remote.poll();
    // snippet: the-link-is-up
    const bool up = remote.state() == rpmsg::link_state::up;  // or remote.wait_link(100ms)
    // end
    CHECK_FALSE(up);
    const auto run = [&] {
        for (int i = 0; i != 6; ++i) {
            master.poll();
            remote.poll();
        }
    };
    run();
    CHECK(remote.state() == rpmsg::link_state::up);
    CHECK(master.state() == rpmsg::link_state::up);

    std::string heard;
    // snippet: an-address-for-me
    rpmsg::endpoint ept{remote, [](rpmsg::message in) { return in.payload(); }};
    const auto opened = ept.open(rpmsg::any_address);  // the next free one: rpmsg-lite's begin at 1
    // end
    rpmsg::endpoint ping{master, [&](std::span<const std::byte> answer) { heard = text(answer); }};
    REQUIRE((opened && ping.open(rpmsg::towards{ept.local()})));
    CHECK(ept.local() == rpmsg::address{1});
    REQUIRE(ping.try_send(bytes("hello")));
    run();
    CHECK(heard == "hello");
}

TEST_CASE("rpmsg_queue_recv, rpmsg_queue_recv_nocopy, RL_HOLD: a queue of rx_buffers", "[docs]")
{
    manual_clock::set(0);
    loopback<> link;
    auto& bus = link.device();
    // snippet: a-queue
    std::deque<rpmsg::rx_buffer> queue;  // or one of the RTOS: it moves handles, not payloads
    rpmsg::endpoint ept{bus, [&](rpmsg::rx_buffer in) { queue.push_back(std::move(in)); }};
    const auto receive = [&](decltype(ept)::deadline until) {
        while (queue.empty() && !until.passed()) {
            bus.wait_work(until);
            bus.poll();
        }
        return !queue.empty();
    };
    // end
    rpmsg::endpoint out{link.driver()};
    REQUIRE((ept.open(rpmsg::address{30}) && out.open(rpmsg::address{40}, rpmsg::towards{30}) && link.run()));
    CHECK_FALSE(receive(10ms));
    REQUIRE((out.try_send(bytes("one")) && out.try_send(bytes("two"))));
    REQUIRE(receive(10ms));
    REQUIRE(receive(10ms));
    std::string first;
    rpmsg::address from;
    // snippet: taking-from-the-queue
    first = text(queue.front().payload());  // where it lies
    from = queue.front().source();
    queue.pop_front();  // and back it goes
    // end
    CHECK(first == "one");
    CHECK(from == rpmsg::address{40});
    CHECK(queue.size() == 1);
}

TEST_CASE("env_lock_mutex, env_disable_interrupt, platform_in_isr: the board's exclusion", "[docs]")
{
    masked = 0;
    loopback<board_with_interrupts, loopback_board> link;
    rpmsg::endpoint out{link.driver()};
    REQUIRE((out.open(rpmsg::address{1}, rpmsg::towards{2}) && link.run()));
    const auto before = masked;
    REQUIRE(out.try_send(bytes("x")));
    CHECK(masked > before);
}
