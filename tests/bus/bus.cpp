#include <rpmsg/bus/bus.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <rpmsg/testing/recording_board.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;
using namespace std::chrono_literals;
using policy::vring_id;
using recorded = rpmsg::testing::event;

// All of the heap that this program takes is counted.

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t bytes, std::size_t align)
{
    ++allocations;
    void* const memory = std::aligned_alloc(align, (bytes + align - 1) / align * align);
    if (memory == nullptr)
        throw std::bad_alloc{};
    return memory;
}

}  // namespace

// Weak: ThreadSanitizer's own take precedence, and there nothing is counted.
[[gnu::weak]] void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
[[gnu::weak]] void* operator new(std::size_t bytes, std::align_val_t align)
{
    return counted(bytes, static_cast<std::size_t>(align));
}
// Sanitizers replace these too, so that they would not come by the two above.
[[gnu::weak]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept
{
    return counted(bytes, alignof(std::max_align_t));
}
[[gnu::weak]] void* operator new(std::size_t bytes, std::align_val_t align, const std::nothrow_t&) noexcept
{
    return counted(bytes, static_cast<std::size_t>(align));
}
[[gnu::weak]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept
{
    std::free(memory);
}

namespace {

// Firmware of the smallest kind: 16 buffers each way, identity map, nobody to wait for.
struct plain_board : policy::board_defaults {
    using address_map = policy::identity<0x2000'0000, 0x8000>;
};
struct larger_ring : plain_board {
    using ring = policy::ring_of<256>;
};
struct more_slots : plain_board {
    static constexpr std::size_t address_slots = 64;
};
struct more_memory : plain_board {
    static constexpr std::size_t remembered_announcements = 8;
};

constinit wire::rpmsg_table plain_table =
    wire::make_rpmsg_table(1, {.address = 0x2000'0000}, {.address = 0x2000'4000});

// Everything may be constinit, and destroyed again after main.
constinit device_bus<plain_board> plain_device{plain_table};
constinit driver_bus<plain_board> plain_driver{plain_table, buffer_pool{}};
constinit endpoint plain_echo{plain_device, [](message in) { return in.payload(); }};
constinit endpoint plain_sender{plain_driver};
constinit endpoint plain_typed{plain_device, typed<std::uint32_t>, [](const std::uint32_t&) {},
                               on_bound{[] {}}};
constinit observer plain_watch{plain_device, on_link{[](link_state) {}}};

// What a bus costs: upper bounds for hosts of 64 bits, with some room.
static_assert(sizeof(void*) != 8 || sizeof(plain_device) <= 384);
static_assert(sizeof(void*) != 8 || sizeof(plain_driver) <= 480);

static_assert(!std::is_copy_constructible_v<device_bus<plain_board>>);
static_assert(!std::is_move_constructible_v<device_bus<plain_board>>);

struct board_of_4 : loopback_board {
    using ring = policy::ring_of<4>;
};
struct remembering_board : loopback_board {
    static constexpr std::size_t remembered_announcements = 2;
};
/// Contexts are told apart as the test says; one that interrupts another does not wait for it.
struct interrupt_board : loopback_board {
    using exclusion = recording_exclusion;
};
struct living_board : loopback_board {
    using lifecycle = recording_lifecycle;
};

}  // namespace

TEST_CASE("what is made before main has done nothing yet, and can be used", "[bus]")
{
    CHECK(plain_device.state() == link_state::down);
    CHECK(plain_driver.state() == link_state::down);
    CHECK(plain_table.vdev.status == 0);
    CHECK_FALSE(plain_watch.is_open());
    CHECK_FALSE(plain_sender.is_open());
    CHECK_FALSE(plain_typed.is_open());
    REQUIRE(plain_echo.open("before-main"));
    CHECK(plain_echo.local() == address{1024});
    plain_device.poll();
    CHECK(plain_device.state() == link_state::negotiating);
    CHECK(plain_echo.close());
}

TEST_CASE("what a bus costs grows by what its board asks for, and by no more", "[bus][rule11]")
{
    const auto device = sizeof plain_device;
    const auto driver = sizeof plain_driver;
    UNSCOPED_INFO("device_bus " << device << ", driver_bus " << driver << ", endpoint " << sizeof plain_echo
                                << ", observer " << sizeof plain_watch << " bytes");
    // For each of the further 240 buffers what is parked, lent or in between.
    CHECK(sizeof(device_bus<larger_ring>) <= device + std::size_t{240} * 2);
    CHECK(sizeof(driver_bus<larger_ring>) <= driver + std::size_t{240} * 4);
    CHECK(sizeof(device_bus<more_slots>) == device + 60 * sizeof(void*));
    CHECK(sizeof(device_bus<more_memory>) <= device + 8 * sizeof(announcement) + 2 * sizeof(std::size_t));
}

TEST_CASE("nothing that a bus does takes heap", "[bus]")
{
    manual_clock::set(0);
    loopback<board_of_4> link;
    struct value {
        std::uint32_t v;
    };
    int heard = 0;
    rx_buffer kept;
    const auto before = allocations.load();
    {
        endpoint echo{link.device(), [](message in) { return in.payload(); }};
        endpoint ping{link.driver(), [&](std::span<const std::byte>) { ++heard; }, on_bound{[] {}}};
        endpoint numbers{link.driver(), typed<value>};
        endpoint sums{link.device(), typed<value>, [&](const value& v) { heard += static_cast<int>(v.v); }};
        endpoint keeps{link.device(), [&](rx_buffer b) { kept = std::move(b); }};
        observer watch{link.device(), on_announced{[](const announcement&) {}}, on_error{[](fault) {}},
                       on_link{[](link_state) {}}, on_tx_ready{[] {}}};
        static_cast<void>(watch.open());
        static_cast<void>(echo.open("echo"));
        static_cast<void>(ping.open("echo"));
        static_cast<void>(sums.open(address{5}));
        static_cast<void>(keeps.open(address{7}));
        static_cast<void>(numbers.open(address{6}, towards{5}));
        static_cast<void>(link.driver().wait_link(10ms));
        static_cast<void>(ping.wait_bound(10ms));
        for (int i = 0; i != 20; ++i) {
            static_cast<void>(ping.send(bytes("hello"), 10ms));
            static_cast<void>(numbers.try_send(value{1}));
            static_cast<void>(ping.try_send_to(address{99}, {}));
            static_cast<void>(ping.try_send_to(address{7}, {}));
            if (auto slot = numbers.try_acquire())
                static_cast<void>(std::move(slot).send());
            const batch together{link.driver()};
            static_cast<void>(link.run());
        }
        static_cast<void>(echo.close());
        link.driver().stop();
        static_cast<void>(link.run());
        link.driver().start();
        static_cast<void>(link.run());
    }
    const auto after = allocations.load();
    CHECK(after == before);
    CHECK(heard != 0);
}

TEMPLATE_TEST_CASE("a bus is started by the first poll, or said so", "[bus]", as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    CHECK(here.state() == link_state::down);
    CHECK(here.max_payload() == 0);
    CHECK(here.epoch() == 0);
    CHECK(here.refusal() == errc{});
    CHECK(here.stats().total() == 0);

    SECTION("by start, which never waits")
    {
        here.start();
        CHECK(here.state() != link_state::down);
    }
    SECTION("by poll")
    {
        here.poll();
        CHECK(here.state() != link_state::down);
    }
    link.run();
    CHECK(here.state() == link_state::up);
    CHECK(here.max_payload() == 496);
    CHECK(here.has_name_service());
}

TEMPLATE_TEST_CASE("a bus that is stopped stays so until it is started", "[bus]", as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);
    int unbound = 0;
    endpoint e{here, [](message) {}, on_unbound{[&] { ++unbound; }}};
    endpoint f{there};
    REQUIRE(e.open("channel"));
    REQUIRE(f.open("channel"));
    link.run();
    REQUIRE(e.is_bound());
    const auto epoch = here.epoch();

    here.stop();
    CHECK(here.state() == link_state::down);
    CHECK(here.max_payload() == 0);
    CHECK(here.epoch() == epoch + 1);
    CHECK(unbound == 1);
    CHECK(e.is_open());
    CHECK_FALSE(e.is_bound());
    CHECK(here.poll().handled == 0);
    CHECK_FALSE(here.has_work());
    here.stop();
    CHECK(unbound == 1);
    link.run();
    CHECK(here.state() == link_state::down);
    // It withdrew its channel before it went.
    CHECK_FALSE(f.is_bound());

    if constexpr (TestType::role == virtio::role::driver) {
        CHECK(there.state() == link_state::negotiating);
        here.start();
        link.run();
        CHECK(here.state() == link_state::up);
        CHECK(e.is_bound());
        CHECK(f.is_bound());
    }
}

TEST_CASE("a stop inside a receiver takes effect when the poll ends", "[bus][rule7]")
{
    loopback<> link;
    int heard = 0;
    endpoint in{link.device(), [&](message) {
                    ++heard;
                    link.device().stop();
                    CHECK(link.device().state() == link_state::up);
                }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    REQUIRE(out.try_send({}));
    REQUIRE(out.try_send({}));
    link.device().poll();
    CHECK(link.device().state() == link_state::down);
    CHECK(heard == 1);

    SECTION("unless it is started again there")
    {
        heard = 0;
        endpoint again{link.device(), [&](message) {
                           ++heard;
                           link.device().stop();
                           link.device().start();
                       }};
        REQUIRE(in.close());
        link.device().start();
        link.driver().poll();
        link.run();
        REQUIRE(link.device().state() == link_state::up);
        REQUIRE(again.open(address{1}));
        REQUIRE(out.try_send({}));
        REQUIRE(out.try_send({}));
        link.run();
        CHECK(heard == 2);
        CHECK(link.device().state() == link_state::up);
    }
}

TEMPLATE_TEST_CASE("poll handles at most its budget and says whether more waits", "[bus]", as_driver,
                   as_device)
{
    loopback<> link;
    int heard = 0;
    endpoint in{TestType::here(link), [&](message) { ++heard; }};
    endpoint out{TestType::there(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    for (int i = 0; i != 5; ++i)
        REQUIRE(out.try_send({}));

    auto& here = TestType::here(link);
    auto done = here.poll(0);
    CHECK(done.handled == 0);
    CHECK(done.more);
    CHECK(heard == 0);
    done = here.poll(2);
    CHECK(done.handled == 2);
    CHECK(done.more);
    CHECK(heard == 2);
    done = here.poll(3);
    CHECK(done.handled == 3);
    CHECK_FALSE(done.more);
    CHECK(heard == 5);
    done = here.poll();
    CHECK(done.handled == 0);
    CHECK_FALSE(done.more);
}

TEST_CASE("a poll inside a receiver or another context returns at once", "[bus]")
{
    journal log;
    loopback<loopback_board, interrupt_board> link;
    auto& device = link.device();
    int heard = 0;
    poll_result nested{77, true};
    endpoint in{device, [&](message) {
                    ++heard;
                    SECTION("in the receiver's own context") { nested = device.poll(); }
                    SECTION("in a context that interrupted it")
                    {
                        log.run_as(2);
                        nested = device.poll();
                        log.run_as(1);
                    }
                }};
    endpoint out{link.driver()};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    link.run();
    REQUIRE(out.try_send({}));
    REQUIRE(out.try_send({}));
    CHECK(device.poll().handled == 2);
    CHECK(heard == 2);
    CHECK(nested.handled == 0);
    CHECK_FALSE(nested.more);
    CHECK(log.mistakes() == 0);
}

TEMPLATE_TEST_CASE("waiting inside a receiver ends at once", "[bus][rule5][openamp-2.4]", as_driver,
                   as_device)
{
    manual_clock::set(0);
    loopback<board_of_4> link;
    auto& here = TestType::here(link);
    std::vector<errc> answers;
    endpoint unbound{here};
    endpoint in{here, [&](message) {
                    answers.push_back(here.wait_link(1s).error());
                    answers.push_back(unbound.wait_bound(1s).error());
                    for (int i = 0; i != 4; ++i)
                        CHECK(unbound.send_to(address{99}, {}, 1s));
                    answers.push_back(unbound.send_to(address{99}, {}, 1s).error());
                    answers.push_back(unbound.acquire(1s).error());
                }};
    endpoint out{TestType::there(link)};
    REQUIRE(in.open(address{1}));
    REQUIRE(out.open(address{2}, towards{1}));
    REQUIRE(unbound.open("nobody's"));
    link.run();
    REQUIRE(out.try_send({}));
    here.poll();
    // The link is up, so that is no waiting; the others behave as their try forms.
    CHECK(answers == std::vector{errc{}, errc::not_bound, errc::full, errc::full});
    CHECK(manual_clock::now() == 0);
}

TEST_CASE("waiting for the link inside an observer's function says that it is down", "[bus][rule5]")
{
    manual_clock::set(0);
    loopback<> link;
    std::vector<errc> answers;
    observer watch{link.device(), on_link{[&](link_state s) {
                       if (s == link_state::negotiating)
                           answers.push_back(link.device().wait_link(1s).error());
                   }}};
    REQUIRE(watch.open());
    link.device().poll();
    CHECK(answers == std::vector{errc::link_down});
    CHECK(manual_clock::now() == 0);
}

TEMPLATE_TEST_CASE("who waits for the link polls until it is up", "[bus][rule5]", as_driver, as_device)
{
    manual_clock::set(0);
    loopback<> link;
    auto& here = TestType::here(link);

    SECTION("and has it") { CHECK(here.wait_link(100ms)); }
    SECTION("and has it at once when it is up")
    {
        link.run();
        CHECK(here.wait_link(0ms));
    }
    SECTION("and gives up at the deadline")
    {
        link.table().vdev.type = 0U;
        TestType::there(link).stop();
        CHECK(here.wait_link(100ms).error() == errc::timed_out);
        CHECK(manual_clock::now() == 100);
        CHECK(here.wait_link({}).error() == errc::timed_out);
        CHECK(manual_clock::now() == 100);
        link.table().vdev.type = wire::resource_vdev;
    }
}

TEMPLATE_TEST_CASE("has_work is true as long as a poll has something to do", "[bus][has_work]", as_driver,
                   as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    auto& there = TestType::there(link);

    SECTION("before the first poll") { CHECK(here.has_work()); }
    SECTION("not while it is stopped")
    {
        here.stop();
        CHECK_FALSE(here.has_work());
        here.start();
        link.run();
        here.stop();
        CHECK_FALSE(here.has_work());
    }
    SECTION("not while it negotiates and the peer has not moved")
    {
        if constexpr (TestType::role == virtio::role::driver)
            link.table().vdev.type = 0U;
        here.poll();
        CHECK(here.state() == link_state::negotiating);
        CHECK_FALSE(here.has_work());
        // The peer moves.
        if constexpr (TestType::role == virtio::role::driver)
            link.table().vdev.type = wire::resource_vdev;
        else
            there.poll();
        CHECK(here.has_work());
        here.poll();
        CHECK(here.state() == link_state::up);
    }
    SECTION("not after it refused what the peer laid out, until that changes")
    {
        link.table().vdev.vring[0].num = 8U;
        if constexpr (TestType::role == virtio::role::device)
            link.table().vdev.status = std::uint8_t{7};
        here.poll();
        CHECK(here.refusal() == errc::bad_ring_size);
        CHECK_FALSE(here.has_work());
        if constexpr (TestType::role == virtio::role::device) {
            link.table().vdev.status = std::uint8_t{0};
            CHECK(here.has_work());
        }
    }
    SECTION("not when the link is up and quiet")
    {
        link.run();
        CHECK_FALSE(here.has_work());
        here.poll();
        CHECK_FALSE(here.has_work());
    }
    SECTION("when a message waits")
    {
        endpoint out{there};
        REQUIRE(out.open(address{1}, towards{2}));
        link.run();
        REQUIRE(out.try_send({}));
        CHECK(here.has_work());
        here.poll();
        CHECK_FALSE(here.has_work());
    }
    SECTION("when an announcement waits")
    {
        link.run();
        endpoint out{there};
        REQUIRE(out.open("channel"));
        CHECK(here.has_work());
        here.poll();
        CHECK_FALSE(here.has_work());
    }
    SECTION("when the peer changed the status")
    {
        link.run();
        const auto status = link.table().vdev.status.get();
        link.table().vdev.status = virtio::status::needs_reset;
        CHECK(here.has_work());
        here.poll();
        CHECK(here.state() == link_state::lost);
        link.table().vdev.status = status;
    }
    SECTION("when the link was lost")
    {
        link.run();
        link.table().vdev.status = std::uint8_t{0};
        here.poll();
        CHECK(here.state() == link_state::lost);
        CHECK(here.has_work());
    }
    SECTION("when one ring holds what cannot be")
    {
        link.run();
        const auto rx = link.ring(
            tx_ring(TestType::role == virtio::role::driver ? virtio::role::device : virtio::role::driver));
        if constexpr (TestType::role == virtio::role::driver)
            rx.used().idx = std::uint16_t{1000};
        else
            rx.avail().idx = std::uint16_t{1000};
        CHECK(here.has_work());
        here.poll();
        here.poll();
        CHECK(here.stats()[fault::ring_broken] == 1);
    }
}

TEMPLATE_TEST_CASE("has_work waits for a buffer with those who need one", "[bus][has_work]", as_driver,
                   as_device)
{
    loopback<board_of_4> link;
    auto& here = TestType::here(link);
    endpoint out{here};
    REQUIRE(out.open(address{1}, towards{2}));
    link.run();
    while (out.acquire(0ms).send(0)) {}

    SECTION("a sender that heard errc::full")
    {
        // A poll tells it: on_tx_ready. Without an observer there would be nobody to tell.
        REQUIRE(out.try_send({}).error() == errc::full);
        CHECK_FALSE(here.has_work());
        TestType::there(link).poll();
        CHECK(here.has_work());
        here.poll();
        CHECK_FALSE(here.has_work());
    }
    SECTION("an announcement")
    {
        endpoint named{here};
        REQUIRE(named.open("later"));
        CHECK_FALSE(here.has_work());
        here.poll();
        CHECK_FALSE(here.has_work());
        TestType::there(link).poll();
        CHECK(here.has_work());
        here.poll();
        CHECK_FALSE(here.has_work());
    }
    SECTION("an announcement, which leaves one for replies")
    {
        TestType::there(link).poll();
        here.poll();
        endpoint echo{here, [](message m) { return m.payload(); }};
        REQUIRE(echo.open(address{50}));
        while (out.try_send({})) {}
        endpoint named{here};
        REQUIRE(named.open("later"));
        here.poll();
        CHECK_FALSE(here.has_work());
        TestType::there(link).poll();
        CHECK(here.has_work());
        link.run();
        CHECK_FALSE(here.has_work());
    }
    SECTION("a withdrawal")
    {
        TestType::there(link).poll();
        endpoint named{here};
        REQUIRE(named.open("now"));
        while (out.try_send({})) {}
        REQUIRE(named.close());
        here.poll();
        CHECK_FALSE(here.has_work());
        TestType::there(link).poll();
        CHECK(here.has_work());
        link.run();
        CHECK_FALSE(here.has_work());
    }
    SECTION("a message whose receiver has a result")
    {
        endpoint echo{here, [](message m) { return m.payload(); }};
        REQUIRE(echo.open(address{50}));
        endpoint asks{TestType::there(link)};
        REQUIRE(asks.open(address{60}, towards{50}));
        REQUIRE(asks.try_send(bytes("?")));
        CHECK(here.has_work());
        here.poll();
        CHECK_FALSE(here.has_work());
        TestType::there(link).poll();
        CHECK(here.has_work());
        link.run();
        CHECK_FALSE(here.has_work());
    }
}

TEST_CASE("has_work is true when an endpoint opened that may have been announced for before",
          "[bus][has_work]")
{
    loopback<loopback_board, remembering_board> link;
    endpoint there{link.driver()};
    REQUIRE(there.open("early"));
    link.run();
    endpoint here{link.device()};
    CHECK_FALSE(link.device().has_work());
    REQUIRE(here.open("early"));
    CHECK(link.device().has_work());
    link.device().poll();
    CHECK(here.is_bound());
}

TEST_CASE("has_work is true when a stop waits for the poll that it interrupted", "[bus][has_work]")
{
    journal log;
    loopback<loopback_board, interrupt_board> link;
    link.run();
    auto& device = link.device();
    std::optional<bool> works;
    observer watch{device, on_error{[&] {
                       log.run_as(2);
                       device.stop();
                       works = device.has_work();
                       log.run_as(1);
                   }}};
    REQUIRE(watch.open());
    endpoint out{link.driver()};
    REQUIRE(out.open(address{1}, towards{2}));
    REQUIRE(out.try_send({}));
    device.poll();
    CHECK(works == true);
    CHECK(device.state() == link_state::down);
    CHECK_FALSE(device.has_work());
}

TEST_CASE("a stop that interrupts a poll has taken effect when that returns, wherever it was", "[bus][rule7]")
{
    const auto where = GENERATE(range(0, 12));
    journal log;
    loopback<loopback_board, interrupt_board> link;
    link.run();
    auto& device = link.device();
    int left = where;
    log.when(recorded::enter, [&] {
        if (left-- != 0)
            return;
        log.run_as(2);
        device.stop();
        log.run_as(1);
    });
    device.poll();
    const bool stopped = std::exchange(left, -1) < 0;
    CHECK(device.state() == (stopped ? link_state::down : link_state::up));
    CHECK_FALSE(device.has_work());
    CHECK(log.mistakes() == 0);
    log.react_no_more();
}

TEST_CASE("a driver whose lifecycle says that the device is gone has nothing to do", "[bus][has_work]")
{
    journal log;
    recording_lifecycle life;
    loopback<living_board, loopback_board> link{{}, {.lifecycle = life}};
    link.run();
    REQUIRE(link.driver().state() == link_state::up);

    life.becomes(policy::peer_life::gone);
    link.driver().poll();
    link.driver().poll();
    CHECK(link.driver().state() == link_state::negotiating);
    CHECK_FALSE(link.driver().has_work());

    life.becomes(policy::peer_life::alive);
    link.driver().poll();
    CHECK(link.driver().state() == link_state::up);
}

TEMPLATE_TEST_CASE("wait_work sleeps as the board does and returns when there is work", "[bus]", as_driver,
                   as_device)
{
    manual_clock::set(0);
    loopback<> link;
    link.run();
    auto& here = TestType::here(link);
    here.wait_work(10ms);
    CHECK(manual_clock::now() == 1);  // nothing came in one turn of the peer: it may return early
    endpoint out{TestType::there(link)};
    REQUIRE(out.open(address{1}, towards{2}));
    REQUIRE(out.try_send({}));
    here.wait_work(10ms);
    CHECK(manual_clock::now() == 1);
}

TEMPLATE_TEST_CASE("max_payload is that of the link, and 0 without one", "[bus]", as_driver, as_device)
{
    loopback<> link{{.to_driver_size = 128, .to_device_size = 256}};
    auto& here = TestType::here(link);
    const auto expected = TestType::role == virtio::role::driver ? 256U - 16 : 128U - 16;
    CHECK(here.max_payload() == 0);
    link.run();
    CHECK(here.max_payload() == expected);

    SECTION("it stays when all buffers are with the peer")
    {
        endpoint out{here};
        REQUIRE(out.open(address{1}, towards{2}));
        while (out.try_send({})) {}
        CHECK(here.max_payload() == expected);
    }
    SECTION("it goes with the link")
    {
        link.driver().stop();
        link.device().poll();
        CHECK(here.max_payload() == 0);
    }
}

TEMPLATE_TEST_CASE("epoch counts the links that were lost", "[bus]", as_driver, as_device)
{
    loopback<> link;
    auto& here = TestType::here(link);
    for (std::uint32_t i = 0; i != 5; ++i) {
        link.run();
        CHECK(here.state() == link_state::up);
        CHECK(here.epoch() == i);
        link.driver().stop();
        link.device().poll();
        CHECK(here.epoch() == i + 1);
        link.driver().start();
    }
}

TEST_CASE("a driver refuses what it cannot use, says so once, and looks again", "[bus][rule3]")
{
    loopback<> link;
    auto& vdev = link.table().vdev;
    int told = 0;
    observer watch{link.driver(), on_error{[&](fault f) { told += f == fault::layout_refused ? 1 : 0; }}};
    REQUIRE(watch.open());
    const auto good = vdev;
    errc why{};

    SECTION("a ring size that is not the board's") { vdev.vring[1].num = 8U, why = errc::bad_ring_size; }
    SECTION("an alignment that is none") { vdev.vring[0].align = 48U, why = errc::misaligned; }
    SECTION("a ring outside the map") { vdev.vring[0].da = 0x1000U, why = errc::out_of_map; }
    SECTION("a ring at an odd address") { vdev.vring[1].da = vdev.vring[1].da + 2U, why = errc::misaligned; }

    for (int i = 0; i != 5; ++i)
        link.driver().poll();
    CHECK(link.driver().state() == link_state::negotiating);
    CHECK(link.driver().refusal() == why);
    CHECK(link.driver().stats()[fault::layout_refused] == 1);
    CHECK(told == 1);
    CHECK((vdev.status & virtio::status::failed) != 0);

    vdev = good;
    link.run();
    link.driver().poll();
    link.run();
    CHECK(link.driver().state() == link_state::up);
    CHECK(link.driver().refusal() == errc{});
}

TEST_CASE("a device refuses what it cannot use until the driver begins anew", "[bus][rule3]")
{
    loopback<> link;
    auto& vdev = link.table().vdev;
    int told = 0;
    observer watch{link.device(), on_error{[&](fault f) { told += f == fault::layout_refused ? 1 : 0; }}};
    REQUIRE(watch.open());
    link.driver().poll();
    const auto good = vdev;
    errc why{};

    SECTION("a ring size that is not the board's") { vdev.vring[0].num = 1024U, why = errc::bad_ring_size; }
    SECTION("an alignment that is none") { vdev.vring[0].align = 3U, why = errc::misaligned; }
    SECTION("a ring outside the map") { vdev.vring[0].da = 0xFFFF'F000U, why = errc::out_of_map; }
    SECTION("a ring at an odd address") { vdev.vring[1].da = vdev.vring[1].da + 2U, why = errc::misaligned; }
    SECTION("buffers outside the map")
    {
        link.ring(vring_id::to_driver).descriptor_at(0).addr = std::uint64_t{0x1'0000'0000};
        why = errc::out_of_map;
    }

    for (int i = 0; i != 5; ++i)
        link.device().poll();
    CHECK(link.device().state() == link_state::negotiating);
    CHECK(link.device().refusal() == why);
    CHECK(link.device().stats()[fault::layout_refused] == 1);
    CHECK(told == 1);

    vdev = good;
    link.driver().stop();
    link.device().poll();
    link.driver().start();
    link.run();
    CHECK(link.device().state() == link_state::up);
    CHECK(link.device().refusal() == errc{});
}

TEMPLATE_TEST_CASE("either of bus and endpoints may be destroyed first", "[bus]", as_driver, as_device)
{
    auto link = std::make_unique<loopback<>>();
    int unbound = 0;
    const auto make = [&] {
        return std::make_unique<
            endpoint<typename std::remove_cvref_t<decltype(TestType::here(*link))>::basic, void,
                     std::function<void(message)>, on_unbound<std::function<void()>>>>(
            TestType::here(*link), std::function<void(message)>{[](message) {}},
            on_unbound{std::function<void()>{[&] { ++unbound; }}});
    };
    auto a = make();
    auto b = make();
    REQUIRE(a->open("a"));
    REQUIRE(b->open(address{5}, towards{6}));
    link->run();

    SECTION("the endpoints")
    {
        a.reset();
        link->run();
        b.reset();
        link.reset();
        CHECK(unbound == 0);
    }
    SECTION("the bus, which closes what is open")
    {
        link.reset();
        CHECK(unbound == 1);  // the one that was bound
        a.reset();
        b.reset();
    }
}

TEST_CASE("a bus that goes tells its peer what it can without waiting", "[bus]")
{
    loopback<> link;
    endpoint there{link.driver()};
    REQUIRE(there.open("channel"));
    link.device().stop();
    {
        device_bus<loopback_board> device{link.table(), link.device_models()};
        endpoint here{device};
        REQUIRE(here.open("channel"));
        for (int i = 0; i != 4; ++i) {
            device.poll();
            link.driver().poll();
        }
        REQUIRE(there.is_bound());
    }
    link.driver().poll();
    CHECK_FALSE(there.is_bound());
}
