#include <rpmsg/platform/linux/vhost_user.hpp>

#include <rpmsg/platform/linux/process_board.hpp>
#include <rpmsg/rpmsg.hpp>

#include "fake_guest.hpp"
#include "must.hpp"
#include "ping_pong.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using namespace rpmsg::platform;
using platform_test::fake_guest;
using platform_test::must;

namespace {

template <typename Board = vhost_user_board>
using device_of = rpmsg::device_bus<Board, vhost_user_transport>;

/// A device, and whatever guest comes.
template <typename Board = vhost_user_board>
struct remote_processor {
    vhost_user_end end;
    device_of<Board> bus{end.transport(), end.template policies<Board>()};

    void let_in(fake_guest& guest) { REQUIRE(end.serve(guest.connect())); }
    /// For set_up(): the device does what it was asked for, and its answer is of no interest.
    auto answers(fake_guest& guest)
    {
        return [this, &guest] {
            end.service();
            static_cast<void>(guest.reply());
        };
    }
    template <typename Kernel, typename Done>
    bool until(Kernel& kernel, Done done)
    {
        const platform_test::until deadline{platform_test::a_hang};
        while (!done() && !deadline.passed()) {
            end.service();
            bus.poll();
            kernel.poll();
        }
        return done();
    }
};

struct event_board : vhost_user_board {
    using dialect = rpmsg::policy::with_event_idx<rpmsg::policy::linux_kernel>;
};

}  // namespace

TEMPLATE_TEST_CASE("a guest's messages are echoed over the rings that it told of", "[platform]",
                   vhost_user_board, event_board, threaded<vhost_user_board>)
{
    constexpr bool has_events = (TestType::dialect::features & rpmsg::policy::feature::event_idx) != 0;
    using kernel_board = std::conditional_t<has_events, fake_guest::event_board, fake_guest::board>;
    remote_processor<TestType> remote;
    rpmsg::endpoint echo{remote.bus, [](rpmsg::message in) { return in.payload(); }};
    REQUIRE(echo.open("echo"));

    fake_guest guest;
    remote.let_in(guest);
    guest.set_up(remote.answers(guest), 0x1'4000'0001 | (has_events ? 1U << 29U : 0U));
    remote.bus.poll();
    CHECK(remote.bus.state() == rpmsg::link_state::negotiating);  // it has not rung yet

    auto kernel = guest.boot<kernel_board>();
    int echoes = 0;
    rpmsg::endpoint caller{kernel, [&](rpmsg::message) { ++echoes; }};
    REQUIRE(caller.open("echo"));
    REQUIRE(remote.until(kernel, [&] { return caller.is_bound(); }));
    for (int i = 1; i <= 100; ++i) {
        REQUIRE(caller.try_send(std::as_bytes(std::span{"hello", 5})));
        REQUIRE(remote.until(kernel, [&] { return echoes == i; }));
    }
    CHECK(remote.end.counts().kicks != 0);
    CHECK(remote.end.counts().calls != 0);
    CHECK(guest.take_calls(0) != 0);
    CHECK(remote.end.counts().refused == 0);
}

TEST_CASE("a guest that unbinds and binds finds the same endpoints, and old handles do nothing", "[platform]")
{
    remote_processor remote;
    std::optional<rpmsg::rx_buffer> held;
    int heard = 0;
    rpmsg::endpoint keeper{remote.bus, [&](rpmsg::rx_buffer in) {
                               ++heard;
                               if (!held)
                                   held = std::move(in);
                           }};
    REQUIRE(keeper.open("keeper"));
    fake_guest guest;
    remote.let_in(guest);

    for (int round = 1; round <= 4; ++round) {
        guest.set_up(remote.answers(guest), 0x1'4000'0001, round != 1);
        auto kernel = guest.boot();
        rpmsg::endpoint caller{kernel};
        REQUIRE(caller.open("keeper"));
        REQUIRE(remote.until(kernel, [&] { return caller.is_bound(); }));
        CHECK(remote.bus.state() == rpmsg::link_state::up);
        REQUIRE(caller.try_send(std::as_bytes(std::span{"one", 3})));
        REQUIRE(remote.until(kernel, [&] { return heard == round; }));
        auto slot = keeper.try_acquire();
        REQUIRE(slot);

        guest.take_down(remote.answers(guest));
        remote.bus.poll();
        CHECK(remote.bus.state() != rpmsg::link_state::up);
        // The guest may use that place for something else by now: what is written late does not reach it.
        const std::vector before(guest.memory().begin(), guest.memory().end());
        std::ranges::fill(slot.payload(), std::byte{0xAA});
        CHECK(std::ranges::equal(guest.memory(), before));
        CHECK(std::move(slot).send(0).error() == rpmsg::errc::stale);
        CHECK(std::ranges::equal(guest.memory(), before));
        REQUIRE(held);
        CHECK(held->payload().size() == 3);
        CHECK(held->payload()[0] == std::byte{'o'});  // of the first round: its memory is still there
    }
    // That of the first round is held; and the newest two, and what is offered for the next rings.
    CHECK(remote.end.tables() == 4);
    held.reset();
    CHECK(remote.end.tables() == 3);
}

TEST_CASE("one guest comes after another at the same path", "[platform]")
{
    const auto path = "/tmp/rpmsg-vhost-user-" + std::to_string(::getpid());
    {
        remote_processor remote;
        REQUIRE(remote.end.listen(path));
        CHECK(vhost_user_end{}.listen(path).error() == rpmsg::errc::system);  // somebody is there
        int heard = 0;
        rpmsg::endpoint ear{remote.bus, [&](rpmsg::message) { ++heard; }};
        REQUIRE(ear.open("ear"));
        ::sockaddr_un name{};
        name.sun_family = AF_UNIX;
        path.copy(name.sun_path, path.size());
        for (int round = 1; round <= 3; ++round) {
            fake_guest guest;
            guest.socket() = file_descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
            REQUIRE(::connect(guest.socket().get(), reinterpret_cast<const ::sockaddr*>(&name),
                              sizeof name) == 0);
            guest.set_up(remote.answers(guest));
            auto kernel = guest.boot();
            rpmsg::endpoint mouth{kernel};
            REQUIRE(mouth.open("ear"));
            REQUIRE(remote.until(kernel, [&] { return mouth.is_bound(); }));
            REQUIRE(mouth.try_send(std::as_bytes(std::span{"x", 1})));
            REQUIRE(remote.until(kernel, [&] { return heard == round; }));
            CHECK(remote.end.has_guest());
            guest.socket().reset();
            REQUIRE(remote.until(kernel, [&] { return !remote.end.has_guest(); }));
            remote.bus.poll();
            CHECK(remote.bus.state() != rpmsg::link_state::up);
        }
        CHECK(remote.end.counts().guests == 4);  // with the one that only looked whether somebody listens
    }
    CHECK(::access(path.c_str(), F_OK) != 0);  // nothing is left over
}

TEST_CASE("without acknowledgements a doorbell may overtake the request that it is for", "[platform]")
{
    vhost_user_end end{{.reply_ack = false}};
    device_of<> bus{end.transport(), end.policies<vhost_user_board>()};
    fake_guest guest;
    REQUIRE(end.serve(guest.connect()));
    guest.send(vhost_user::request::set_protocol_features, std::uint64_t{0x20}, {}, 1);
    guest.send(vhost_user::request::set_features, std::uint64_t{0x1'4000'0001}, {}, 1);
    guest.share();
    for (std::uint32_t ring = 0; ring < 2; ++ring) {
        guest.send(vhost_user::request::set_vring_num, fake_guest::state(ring, fake_guest::num), {}, 1);
        guest.send(vhost_user::request::set_vring_addr, fake_guest::addresses(ring), {}, 1);
    }
    guest.send(vhost_user::request::set_vring_kick, std::uint64_t{0}, {guest.kick(0).get()}, 1);
    guest.send(vhost_user::request::set_vring_enable, fake_guest::state(0, 1), {}, 1);
    end.service();
    auto kernel = guest.boot();
    kernel.start();  // rings for ring 0
    end.service();
    bus.poll();
    CHECK(bus.state() == rpmsg::link_state::negotiating);
    guest.send(vhost_user::request::set_vring_kick, std::uint64_t{1}, {guest.kick(1).get()}, 1);
    guest.send(vhost_user::request::set_vring_enable, fake_guest::state(1, 1), {}, 1);
    end.service();
    bus.poll();
    CHECK(bus.state() == rpmsg::link_state::up);
    CHECK(end.counts().refused == 0);
}

TEST_CASE("doorbells go over the sockets where that was agreed on", "[platform]")
{
    vhost_user_end end{{.inband = true}};
    device_of<> bus{end.transport(), end.policies<vhost_user_board>()};
    rpmsg::endpoint channel{bus};
    REQUIRE(channel.open("channel"));
    fake_guest guest;
    REQUIRE(end.serve(guest.connect()));
    const auto step = [&] {
        end.service();
        CHECK(guest.reply() == 0U);
    };
    guest.send(vhost_user::request::set_protocol_features, std::uint64_t{0x4028});
    step();
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const file_descriptor ours{ends[0]};
    const file_descriptor given{ends[1]};
    guest.send(vhost_user::request::set_backend_req_fd, {given.get()});
    step();
    guest.send(vhost_user::request::set_features, std::uint64_t{0x1'4000'0001});
    step();
    guest.share();
    step();
    for (std::uint32_t ring = 0; ring < 2; ++ring) {
        guest.send(vhost_user::request::set_vring_num, fake_guest::state(ring, fake_guest::num));
        step();
        guest.send(vhost_user::request::set_vring_addr, fake_guest::addresses(ring));
        step();
        guest.send(vhost_user::request::set_vring_enable, fake_guest::state(ring, 1));
        step();
    }
    auto kernel = guest.boot();
    kernel.start();
    guest.send(vhost_user::request::vring_kick, fake_guest::state(0, 0));
    step();
    bus.poll();
    REQUIRE(bus.state() == rpmsg::link_state::up);  // and so it has announced its channel, and called

    struct {
        vhost_user::header head;
        std::array<std::uint32_t, 2> body;
    } call{};
    REQUIRE(::recv(ours.get(), &call, sizeof call, MSG_DONTWAIT) == sizeof call);
    CHECK(call.head.request == 4);
    CHECK(call.head.flags == 1);
    CHECK(call.body == std::array<std::uint32_t, 2>{0, 0});
}

TEST_CASE("a thread that sleeps on the bus serves the guest, and the others sleep on", "[platform][thread]")
{
    using board = threaded<vhost_user_board>;
    remote_processor<board> remote;
    fake_guest guest;
    remote.let_in(guest);
    std::atomic<bool> stop{false};
    std::atomic<int> heard{0};
    rpmsg::endpoint ear{remote.bus, [&](rpmsg::message) { ++heard; }};
    REQUIRE(ear.open("ear"));
    const auto serve = [&] {
        while (!stop) {
            remote.bus.poll();
            remote.bus.wait_work(1s);
        }
    };
    std::thread one{serve};
    std::thread other{serve};
    const auto answered = [&] {
        ::pollfd readable{guest.socket().get(), POLLIN, 0};
        if (::poll(&readable, 1, 5) == 1)
            static_cast<void>(guest.reply());
    };
    guest.set_up(answered);
    auto kernel = guest.boot();
    rpmsg::endpoint mouth{kernel};
    CHECK(mouth.open("ear"));
    const platform_test::until deadline{platform_test::a_hang};
    while (!mouth.is_bound() && !deadline.passed())
        kernel.poll();
    int sent = 0;
    while (sent < 1000 && !deadline.passed()) {
        kernel.poll();
        if (mouth.try_send(std::as_bytes(std::span{"x", 1})))
            ++sent;
    }
    while (heard != 1000 && !deadline.passed())
        std::this_thread::yield();
    CHECK(heard == 1000);
    stop = true;
    remote.end.wake();
    one.join();
    remote.end.wake();
    other.join();
}
