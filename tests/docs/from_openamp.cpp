// What stands here for OpenAMP's functions that bring a link up. docs/from-openamp.md shows what is
// between `// snippet:` and `// end`; around it is what the program that it is taken from would have.

#include <rpmsg/rpmsg.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;

namespace {

struct my_board : loopback_board {};

// snippet: the-role
using linux_side = rpmsg::driver_bus<my_board>;     // RPMSG_HOST: has the buffers
using firmware_side = rpmsg::device_bus<my_board>;  // RPMSG_REMOTE
// end
static_assert(std::is_constructible_v<linux_side, rpmsg::wire::rpmsg_table&, rpmsg::buffer_pool>);
static_assert(!std::is_constructible_v<firmware_side, rpmsg::wire::rpmsg_table&, rpmsg::buffer_pool>);

int mailbox_rings = 0;
int sleeps = 0;
int lines = 0;
void ring_mailbox(rpmsg::policy::vring_id /*which*/) noexcept { ++mailbox_rings; }
void let_others_run() noexcept
{
    ++sleeps;
    manual_clock::slept();
}
struct cache_lines {
    static void clean_line(const void* /*line*/) noexcept { ++lines; }
    static void invalidate_line(const void* /*line*/) noexcept { ++lines; }
    static void complete() noexcept {}
};
using my_clock = manual_clock;

// snippet: the-board
struct board_of_a_port : rpmsg::policy::board_defaults {
    using doorbell = rpmsg::policy::callback_doorbell<ring_mailbox>;
    using address_map = rpmsg::policy::offset;                 // in place of metal_io_region
    using coherence = rpmsg::policy::cached<64, cache_lines>;  // BUFFER_FLUSH, BUFFER_INVALIDATE
    using wait = rpmsg::policy::yielding<let_others_run>;      // rpmsg_virtio_set_wait_cb
    using clock = my_clock;                                    // in place of metal_sleep_usec
};
// end

}  // namespace

TEST_CASE("rpmsg_device_ops, BUFFER_FLUSH, rpmsg_virtio_set_wait_cb: what the board says", "[docs]")
{
    my_clock::set(0);
    mailbox_rings = sleeps = lines = 0;
    loopback<board_of_a_port> link{{.align = 64}};
    rpmsg::endpoint out{link.device()};
    REQUIRE(out.open(rpmsg::address{1}, rpmsg::towards{2}));
    REQUIRE(link.run());
    REQUIRE(out.try_send(bytes("x")));
    CHECK(mailbox_rings > 0);
    CHECK(lines > 0);
    while (out.try_send({})) {}
    CHECK(sleeps == 0);
    CHECK(out.send({}, 3ms).error() == rpmsg::errc::timed_out);  // nobody returns a buffer
    CHECK(sleeps == 3);
}

TEST_CASE("rpmsg_virtio_init_shm_pool: the driver's buffer_pool", "[docs]")
{
    loopback<my_board> link;
    auto& table = link.table();
    const auto& models = link.driver_models();
    const auto pool_of_one = link.pool();
    const std::span shared_memory{pool_of_one.to_driver.data(),
                                  pool_of_one.to_driver.size() + pool_of_one.to_device.size()};
    // snippet: the-buffer-pool
    const rpmsg::buffer_pool pool{.to_driver = shared_memory};  // both directions, 512 bytes a buffer
    rpmsg::driver_bus<my_board> bus{table, pool, models};
    // end
    CHECK(bus.wait_link(10ms));
    CHECK(bus.max_payload() == 512 - 16);
    CHECK(bus.refusal() == rpmsg::errc{});

    bus.stop();
    rpmsg::driver_bus<my_board> poor{table, {.to_driver = shared_memory.first(500)}, models};
    CHECK_FALSE(poor.wait_link(10ms));
    CHECK(poor.refusal() == rpmsg::errc::out_of_memory);
}

TEST_CASE("rpmsg_init_vdev_with_config, rpmsg_virtio_config: sizes and pieces of the pool", "[docs]")
{
    loopback<my_board> link;
    auto& table = link.table();
    const auto& models = link.driver_models();
    const auto received = link.pool().to_driver;
    const auto sent = link.pool().to_device;
    // snippet: two-pools
    const rpmsg::buffer_pool pool{.to_driver = received,   // split_shpool: each direction has its own
                                  .to_device = sent,       // memory, which need not be of one kind
                                  .to_driver_size = 128,   // r2h_buf_size
                                  .to_device_size = 256};  // h2r_buf_size
    rpmsg::driver_bus<my_board> bus{table, pool, models};
    // end
    CHECK(bus.wait_link(10ms));
    CHECK(bus.max_payload() == 256 - 16);
    link.device().poll();
    CHECK(link.device().max_payload() == 128 - 16);
}

namespace {

// snippet: one-layout
inline constexpr auto shared = rpmsg::lay_out<rpmsg::memory_plan{
    .address = 0x3ED0'0000,             // RPMSG_VRING_MEM_BASE, and all that is computed from it by hand
    .to_driver = {.buffer_size = 128},  // r2h_buf_size
    .to_device = {.buffer_size = 256},  // h2r_buf_size
    .features = rpmsg::policy::with_buffer_sizes<rpmsg::policy::linux_kernel>::features}>();
constinit auto resource_table = shared.table();  // rsc_table.c
// end

// snippet: stated-sizes
struct stating_board : my_board {  // both sides: the driver asks the device for its buffer sizes
    using dialect = rpmsg::policy::with_buffer_sizes<rpmsg::policy::linux_kernel>;
};
// end

}  // namespace

TEST_CASE("rpmsg_virtio_config: sizes that the device states", "[docs]")
{
    CHECK(resource_table.vdev.config_len == 11U);
    loopback<stating_board> link{{.to_driver_size = 128, .to_device_size = 256}};
    auto pool = link.pool();
    pool.to_driver_size = pool.to_device_size = 512;
    link.driver().stop();
    rpmsg::driver_bus<stating_board> bus{link.resources(), pool, link.driver_models()};
    CHECK(bus.wait_link(10ms));
    CHECK(bus.max_payload() == 256 - 16);
}

TEST_CASE("RPROC_ERR_RSC_TAB_RSVD and its kind: the table of an image that is to be started", "[docs]")
{
    auto image = shared.table();
    const bool broken = GENERATE(false, true);
    if (broken)
        image.header.reserved[0] = 1;
    const auto found_in_image = std::as_writable_bytes(std::span{&image, 1});
    std::string complaint;
    // snippet: an-image-to-start
    const auto verdict = shared.check(found_in_image);  // each rule of Linux's loader, and its memory
    if (!verdict)
        complaint = verdict.reason();  // "the reserved words of the header are not 0"
    // end
    CHECK(complaint == (broken ? "the reserved words of the header are not 0" : ""));
    CHECK(verdict.error() == (broken ? rpmsg::errc::malformed : rpmsg::errc{}));
}

TEST_CASE("rpmsg_init_vdev: a bus is constructed, and starts", "[docs]")
{
    const bool peer_is_there = GENERATE(true, false);
    my_clock::set(0);
    loopback<my_board> link;
    auto& table = link.table();
    auto models = link.device_models();
    if (!peer_is_there)
        models.wait = {};
    auto why = rpmsg::errc::busy;
    // snippet: bringing-the-link-up
    rpmsg::device_bus<my_board> bus{table, models};  // touches nothing: it may be constinit
    bus.start();                                     // so does the first poll(); waits for nobody
    if (!bus.wait_link(100ms))
        why = bus.refusal();  // errc{}: nobody there yet; else what is wrong with what was laid out
    // end
    CHECK((bus.state() == rpmsg::link_state::up) == peer_is_there);
    CHECK(why == (peer_is_there ? rpmsg::errc::busy : rpmsg::errc{}));
}

TEST_CASE("rpmsg_deinit_vdev: stop(), or the bus's destructor", "[docs]")
{
    loopback<my_board> link;
    auto& bus = link.device();
    ear there{link.driver()};
    rpmsg::endpoint service{bus};
    REQUIRE(service.open("service"));
    REQUIRE(link.run());
    there.take();
    // snippet: taking-the-link-down
    bus.stop();  // withdraws the channels and ends the link; waits for nobody, and endpoints stay open
    // end
    CHECK(bus.state() == rpmsg::link_state::down);
    CHECK(service.is_open());
    REQUIRE(link.run());
    CHECK(there.take() == std::vector<std::string>{"-service@1024"});
    bus.start();
    REQUIRE(link.run());
    CHECK(there.take() == std::vector<std::string>{"+service@1024"});
}

TEST_CASE("rpmsg_virtio_get_rpmsg_device: the bus is both", "[docs]")
{
    loopback<my_board> link;
    auto& bus = link.device();
    // snippet: one-object
    rpmsg::endpoint log{bus};  // no device inside a device to ask for
    // end
    CHECK(log.open(rpmsg::address{1}));
}

TEST_CASE("VIRTIO_RPMSG_F_NS: has_name_service()", "[docs]")
{
    loopback<my_board> link{{.features = 0}};
    auto& bus = link.device();
    rpmsg::endpoint log{bus};
    REQUIRE(link.run());
    bool opened = false;
    // snippet: without-a-name-service
    if (!bus.has_name_service())  // not taken by both sides: addresses that both know
        opened = log.open(rpmsg::address{0x50}, rpmsg::towards{0x51}).has_value();
    // end
    CHECK(opened);
    CHECK(log.is_bound());
}

TEST_CASE("RPROC_ERR_RSC_TAB_TRUNC and its kind: a table of which nothing is known", "[docs]")
{
    loopback<my_board> link;
    const auto memory = link.bytes().first(sizeof(rpmsg::wire::rpmsg_table));
    const auto cut = GENERATE(0U, 1U, 40U);
    const auto found_in_image = memory.first(memory.size() - cut);
    // snippet: a-table-in-an-image
    // errc::malformed; not_ready: no version 1, or no RPMsg device in it; misaligned
    const auto table = rpmsg::virtio::resource_table::find(found_in_image);
    // end
    const auto why = table.error();
    CHECK(why == (cut == 0 ? rpmsg::errc{} : rpmsg::errc::malformed));
    link.table().header.ver = 2;
    CHECK(rpmsg::virtio::resource_table::find(memory).error() == rpmsg::errc::not_ready);
}
