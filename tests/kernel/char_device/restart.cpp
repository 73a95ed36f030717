#include "kernel/char_device/guest.hpp"

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include <sys/wait.h>

namespace char_test {

namespace {

using rpmsg::errc;
using rpmsg::link_state;
using rpmsg::towards;

/// Takes the driver off the virtio device, or puts it back: to programs it is as if the firmware had restarted.
void driver(const char* what)
{
    const std::string file = std::string{"/sys/bus/virtio/drivers/virtio_rpmsg_bus/"} + what;
    const int to = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
    check(to >= 0 && ::write(to, "virtio0", 7) == 7, file);
    ::close(to);
}

}  // namespace

void restart()
{
    char_bus bus;
    listener fixed{bus};
    std::string heard;
    int bound = 0;
    int unbound = 0;
    std::string states;
    rpmsg::endpoint named{bus, [&](std::span<const std::byte> in) { heard = text(in); },
                          rpmsg::on_bound{[&] { ++bound; }}, rpmsg::on_unbound{[&] { ++unbound; }}};
    rpmsg::observer watch{
        bus, rpmsg::on_link{[&](link_state now) { states += std::to_string(static_cast<int>(now)); }}};
    check(watch.open() && fixed.end.open(rpmsg::address{4000}, towards{echo_address}) &&
              named.open("my-service"),
          "open");
    {
        orders host;
        host.give("announce my-service");
    }
    check(named.wait_bound(2s).has_value(), "bound");
    for (int round = 1; round != 6; ++round) {
        const auto epoch = bus.epoch();
        fixed.echo("before");
        for (int i = 0; i != 200; ++i)
            static_cast<void>(fixed.end.try_send(bytes("in the middle of traffic")));
        auto slot = named.try_acquire();
        driver("unbind");
        errc why{};
        switch (round % 3) {
        case 0: why = fixed.end.send(bytes("x"), 5s).error(); break;
        case 1: why = fixed.end.try_send(bytes("x")).error(); break;
        default: why = errc::link_down; break;  // noticed by EPOLLERR alone
        }
        check(why == errc::link_down,
              "EPIPE is errc::link_down, not " + std::to_string(static_cast<int>(why)));
        if (round == 4) {
            driver("bind");  // so soon that nobody looked: the old device and the new one have one name
            check(bus.state() == link_state::up, "nobody looked");
        }
        poll_until(bus, [&] { return bus.epoch() != epoch; }, "the link's end");
        check(unbound == round && (round == 4 || !named.is_bound()), "on_unbound ran");
        check(std::move(slot).send(1).error() == errc::stale, "a buffer from before is stale");
        if (round != 4) {
            check(bus.state() == link_state::negotiating && bus.max_payload() == 0, "negotiating");
            check(bus.wait_link(150ms).error() == errc::timed_out, "no link");
            check(fixed.end.try_send(bytes("x")).error() == errc::link_down, "link_down");
            driver("bind");
        }
        check(bus.wait_link(2s).has_value() && fixed.end.wait_bound(2s),
              "it is back, and so is the endpoint");
        check(named.wait_bound(2s).has_value() && bound == round + 1,
              "the host announced again; bound again");
        fixed.all.clear();
        fixed.echo("after");
        heard.clear();
        check(named.send(bytes("by name"), 1s).has_value(), "send");
        poll_until(bus, [&] { return heard == "by name"; }, "an echo by name");
        check(bus.epoch() == epoch + 1, "one link was lost");
        check(entries("/dev", "rpmsg_ctrl") == std::vector<std::string>{"rpmsg_ctrl0"},
              "the old device kept its number: somebody has it open");
        check(nodes() == 2, "two nodes");
    }
    check(states.starts_with("12312"), "on_link: " + states);
    bus.stop();
    check(bus.state() == link_state::down && unbound == 6 && nodes() == 0, "stop() gives all back");
    bus.start();
    check(named.wait_bound(1s).has_value(), "start()");
    fixed.echo("started again");
}

void killed()
{
    orders host;
    char_bus bus;
    listener fixed{bus};
    check(fixed.end.open(towards{echo_address}).has_value(), "open");
    fixed.echo("alive");
    rpmsg::endpoint murder{bus};
    check(murder.open(towards{orders_address}) && murder.send(bytes("die"), 1s), "die");
    poll_until(bus, [&] { return bus.state() == link_state::negotiating; }, "the end of the link");
    check(!fixed.end.is_bound() && fixed.end.send(bytes("x"), 1s).error() == errc::link_down,
          "link_down at once");
    check(bus.wait_link(100ms).error() == errc::timed_out,
          "it does not come back: this is the host's whole life");
}

void example()
{
    orders host;
    host.give("announce rpmsg-echo");
    const auto* const program = std::getenv("PROGRAM");
    check(program != nullptr, "PROGRAM");
    std::array<int, 2> out{};
    check(::pipe(out.data()) == 0, "pipe");
    const auto child = ::fork();
    if (child == 0) {
        ::dup2(out[1], 1);
        ::execl(program, program, "--for", "4", nullptr);
        ::_exit(127);
    }
    ::close(out[1]);
    ::usleep(700'000);
    driver("unbind");
    ::usleep(300'000);
    driver("bind");
    std::string all;
    std::array<char, 512> room{};
    for (::ssize_t got = 0; (got = ::read(out[0], room.data(), room.size())) > 0;)
        all.append(room.data(), static_cast<std::size_t>(got));
    int status = 0;
    ::waitpid(child, &status, 0);
    for (std::size_t from = 0; from < all.size();) {
        const auto end = std::min(all.find('\n', from), all.size());
        say("example: " + all.substr(from, end - from));
        from = end + 1;
    }
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the example's status");
    check(all.find("it is back at") != all.npos, "it survived a restart");
}

}  // namespace char_test
