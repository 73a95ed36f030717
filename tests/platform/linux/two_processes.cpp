// What only two processes show: that one sleeps and the other one, and nothing else, wakes it.

#include <rpmsg/platform/linux/link_files.hpp>
#include <rpmsg/platform/linux/process_board.hpp>
#include <rpmsg/platform/linux/process_layout.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/virtio/resource_table.hpp>
#include <rpmsg/wire/header.hpp>

#include "forked.hpp"
#include "must.hpp"
#include "ping_pong.hpp"
#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::a_hang;
using platform_test::forked;
using platform_test::must;
using platform_test::until;
using rpmsg::errc;
using rpmsg::virtio::role;

namespace {

constexpr process_layout layout{.buffers = 4, .to_driver_size = 64, .to_device_size = 64};
constexpr rpmsg::address server{10};
constexpr rpmsg::address client{11};
constexpr rpmsg::address farewell{12};

/// One link, and in each process a bus of its own.
template <process_layout Layout = layout>
struct link_of {
    link_files files = must(link_files::create(Layout.size()));
    rpmsg::virtio::resource_table table = Layout.write_table(files.memory.bytes());
    process_end driver{files, role::driver};

    template <typename Board>
    rpmsg::driver_bus<Board> driver_bus()
    {
        return {table, Layout.pool(files.memory.bytes()), driver.policies<Board>()};
    }

    /// Does something with the device's bus in another process, which a hang would end.
    template <typename Board, typename Body>
    forked in_device_process(Body body)
    {
        return forked{[this, body] {
            ::alarm(static_cast<unsigned>(a_hang.count()));
            process_end end{files, role::device};
            rpmsg::device_bus<Board> bus{*process_layout::table_in(files.memory.bytes()),
                                         end.policies<Board>()};
            return body(bus);
        }};
    }
};

using link_of_two = link_of<>;

/// Polls until something has happened; false if only a hang took so long.
///
/// @param nap  How long to sleep at a time: where no doorbell tells of it, not as long as a hang.
template <typename Bus, typename Done>
bool poll_until(Bus& bus, Done done, std::chrono::milliseconds nap = a_hang)
{
    const until deadline{a_hang};
    while (!done() && !deadline.passed()) {
        bus.poll();
        if (!done())
            bus.wait_work(nap);
    }
    return done();
}

/// Asks the peer for echoes as fast as there are buffers, and is asked the same meanwhile.
///
/// @return  Whether every question was answered, of which some found no buffer.
template <typename Bus>
bool ask_and_answer(Bus& bus)
{
    constexpr std::uint32_t questions = 20'000;
    std::uint32_t asked = 0;
    std::uint32_t answered = 0;
    std::uint32_t found_none = 0;
    bool good = true;
    bool peer_is_done = false;
    rpmsg::endpoint answers{bus, [](rpmsg::message in) { return in.payload(); }};
    rpmsg::endpoint asks{bus, [&](rpmsg::rx_buffer in) {
                             const auto* const number = in.template as<std::uint32_t>();
                             good = good && number != nullptr && *number == answered;
                             ++answered;
                         }};
    rpmsg::endpoint done{bus, [&](rpmsg::message) { peer_is_done = true; }};
    good = answers.open(server) && asks.open(client, rpmsg::towards{server}) &&
           done.open(farewell, rpmsg::towards{farewell}) && bus.wait_link(a_hang);

    const auto ask_on = [&] {
        while (asked != questions) {
            const auto sent = asks.try_send(std::as_bytes(std::span{&asked, 1}));
            found_none += sent.error() == errc::full ? 1U : 0U;
            if (!sent)
                break;
            ++asked;
        }
        return answered == questions;
    };
    good = good && poll_until(bus, ask_on) && done.send(std::as_bytes(std::span{"bye", 3}), a_hang) &&
           poll_until(bus, [&] { return peer_is_done; });
    return good && found_none != 0;
}

/// Uses up every buffer, waits once in vain and once until there is one.
template <typename Bus>
bool block(Bus& bus, const file_descriptor& now)
{
    rpmsg::endpoint sender{bus, [](rpmsg::message) {}};
    if (!sender.open(client, rpmsg::towards{server}) || !bus.wait_link(a_hang))
        return false;
    const std::array<std::byte, 8> payload{};
    while (sender.try_send(payload)) {}
    if (sender.try_send(payload).error() != errc::full)
        return false;

    const auto begin = std::chrono::steady_clock::now();
    const bool gave_up = sender.send(payload, 20ms).error() == errc::timed_out;
    const auto waited = std::chrono::steady_clock::now() - begin;
    eventfd_doorbell{now}.ring();
    // Nothing but a doorbell ends this wait before its deadline, and that would be a hang.
    const until deadline{a_hang};
    return gave_up && waited >= 20ms && waited < a_hang && sender.send(payload, deadline) &&
           !deadline.passed();
}

/// Keeps every buffer that comes until told to, and then gives one back.
template <typename Bus>
bool hold(Bus& bus, const file_descriptor& now)
{
    std::vector<rpmsg::rx_buffer> held;
    rpmsg::endpoint holder{bus, [&](rpmsg::rx_buffer in) { held.push_back(std::move(in)); }};
    if (!holder.open(server) || !poll_until(bus, [&] { return held.size() == layout.buffers; }))
        return false;
    if (!await_readable(now.get(), a_hang))
        return false;
    std::this_thread::sleep_for(20ms);  // the other one sleeps by then, or will see it at once
    held.front().release();
    return poll_until(bus, [&] { return held.size() == layout.buffers + 1U; });
}

template <typename Board>
struct sized : Board {
    using dialect = rpmsg::policy::with_buffer_sizes<typename Board::dialect>;
};
constexpr auto features = rpmsg::policy::with_buffer_sizes<rpmsg::policy::linux_kernel>::features;

/// Sends payloads of many lengths up to `most`, and expects as many of up to `most_of_peer`.
template <typename Bus>
bool exchange_lengths(Bus& bus, std::uint32_t most, std::uint32_t most_of_peer)
{
    constexpr std::uint32_t rounds = 200;
    const auto length_of = [](std::uint32_t i, std::uint32_t longest) {
        return i % 4 == 0 ? longest - i % 3 : i * 6151 % (longest + 1);
    };
    const auto byte_of = [](std::size_t at, std::size_t length) {
        return static_cast<std::byte>(at * 31 + length);
    };
    std::uint32_t heard = 0;
    bool good = true;
    bool peer_is_done = false;
    rpmsg::endpoint ear{bus, [&](rpmsg::message in) {
                            const auto came = in.payload();
                            good = good && came.size() == length_of(heard++, most_of_peer);
                            for (std::size_t i = 0; i != came.size(); ++i)
                                good = good && came[i] == byte_of(i, came.size());
                        }};
    rpmsg::endpoint mouth{bus};
    rpmsg::endpoint done{bus, [&](rpmsg::message) { peer_is_done = true; }};
    good = ear.open(server) && mouth.open(client, rpmsg::towards{server}) &&
           done.open(farewell, rpmsg::towards{farewell}) && bus.wait_link(a_hang);
    good = good && bus.max_payload() == most;

    std::uint32_t sent = 0;
    std::vector<std::byte> payload;
    const auto send_on = [&] {
        for (; sent != rounds; ++sent) {
            payload.resize(length_of(sent, most));
            for (std::size_t i = 0; i != payload.size(); ++i)
                payload[i] = byte_of(i, payload.size());
            if (!mouth.try_send(payload))
                break;
        }
        return sent == rounds && heard == rounds;
    };
    payload.resize(most + 1);
    good = good && mouth.try_send(payload).error() == errc::too_long;
    return poll_until(bus, send_on) && done.send({}, a_hang) &&
           poll_until(bus, [&] { return peer_is_done; }) && good;
}

/// Both ends of a link with a driver that would make buffers of 512 bytes.
template <typename DriverBoard, typename DeviceBoard, process_layout Layout>
void exchange_over(std::uint32_t to_driver, std::uint32_t to_device)
{
    link_of<Layout> link;
    auto device = link.template in_device_process<DeviceBoard>(
        [=](auto& bus) { return exchange_lengths(bus, to_driver, to_device); });
    auto pool = Layout.pool(link.files.memory.bytes());
    pool.to_driver_size = pool.to_device_size = rpmsg::wire::default_buffer_size;
    rpmsg::driver_bus<DriverBoard> bus{link.table, pool, link.driver.template policies<DriverBoard>()};
    CHECK(exchange_lengths(bus, to_device, to_driver));
    CHECK(device.went_well());
}

}  // namespace

TEMPLATE_TEST_CASE(
    "two processes with buffer sizes that the device states talk in payloads of up to 65519 bytes",
    "[platform]", eventfd_board, futex_board)
{
    constexpr process_layout long_to_driver{
        .buffers = 4, .to_driver_size = 65535, .to_device_size = 700, .features = features};
    constexpr process_layout long_to_device{
        .buffers = 4, .to_driver_size = 65, .to_device_size = 65535, .features = features};
    exchange_over<sized<TestType>, sized<TestType>, long_to_driver>(65519, 684);
    exchange_over<sized<TestType>, sized<TestType>, long_to_device>(49, 65519);
}

TEST_CASE("a process that does not take the sizes of the other makes buffers of 512 bytes", "[platform]")
{
    constexpr process_layout stated{
        .buffers = 4, .to_driver_size = 2048, .to_device_size = 4096, .features = features};
    exchange_over<eventfd_board, sized<eventfd_board>, stated>(496, 496);
}

TEMPLATE_TEST_CASE("two processes that send inside their receivers with all buffers in use go on",
                   "[platform][rule-7]", eventfd_board, futex_board)
{
    link_of_two link;
    auto device = link.in_device_process<TestType>([](auto& bus) { return ask_and_answer(bus); });
    auto bus = link.driver_bus<TestType>();
    CHECK(ask_and_answer(bus));
    CHECK(device.went_well());
}

TEMPLATE_TEST_CASE("a blocked sender is woken by the buffer that another process gives back, or gives up",
                   "[platform][rule-5]", eventfd_board, futex_board)
{
    link_of_two link;
    const auto now = must(make_eventfd());
    SECTION("at the driver's end")
    {
        auto device = link.in_device_process<TestType>([&now](auto& bus) { return hold(bus, now); });
        auto bus = link.driver_bus<TestType>();
        CHECK(block(bus, now));
        CHECK(device.went_well());
    }
    SECTION("at the device's end")
    {
        auto device = link.in_device_process<TestType>([&now](auto& bus) { return block(bus, now); });
        auto bus = link.driver_bus<TestType>();
        CHECK(hold(bus, now));
        CHECK(device.went_well());
    }
}

TEMPLATE_TEST_CASE("an endpoint goes on when a killed peer was started again", "[platform]", eventfd_board,
                   futex_board)
{
    const auto serve = [](auto& bus) {
        rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }};
        return echo.open("echo") && poll_until(bus, [] { return false; });
    };
    link_of_two link;
    auto bus = link.driver_bus<TestType>();
    std::uint32_t echoes = 0;
    rpmsg::endpoint caller{bus, [&](rpmsg::message) { ++echoes; }};
    REQUIRE(caller.open("echo"));
    const auto talk = [&] {
        return poll_until(bus, [&] { return caller.is_bound() && caller.try_send({}); }) &&
               poll_until(bus, [&, before = echoes] { return echoes != before; });
    };

    constexpr auto nap = 5ms;  // the dead ring no doorbell
    const bool notices_first = GENERATE(true, false);
    for (int life = 0; life != 5; ++life) {
        const auto epoch = bus.epoch();
        auto device = link.in_device_process<TestType>(serve);
        REQUIRE(link.driver.watch(device.pid()));
        if (life != 0)  // the bus may be on the old link yet, which seems to be as good as ever
            REQUIRE(poll_until(bus, [&] { return bus.epoch() != epoch || notices_first; }, nap));
        REQUIRE(talk());

        device.kill();
        CHECK_FALSE(device.went_well());
        if (notices_first)
            REQUIRE(poll_until(bus, [&] { return bus.state() != rpmsg::link_state::up; }, nap));
    }
}
