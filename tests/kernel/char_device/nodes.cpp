#include "kernel/char_device/guest.hpp"

#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace char_test {

namespace {

using rpmsg::address;
using rpmsg::errc;
using rpmsg::towards;

/// Runs something in a process of its own. @return Its exit status, or 128.
template <typename Body>
int forked(Body body)
{
    const auto child = ::fork();
    if (child == 0) {
        int status = 1;
        try {
            status = body();
        } catch (const std::exception& wrong) {
            say(std::string{"in a child: "} + wrong.what());
        }
        ::_exit(status);
    }
    return child;
}
int status_of(int child)
{
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

}  // namespace

void by_name()
{
    orders host;
    char_bus bus;
    int bound = 0;
    int unbound = 0;
    std::string got;
    rpmsg::endpoint service{bus,
                            [&](std::span<const std::byte> in, address from) {
                                got = text(in) + " from " + std::to_string(from.value());
                            },
                            rpmsg::on_bound{[&](address) { ++bound; }},
                            rpmsg::on_unbound{[&](address) { ++unbound; }}};
    check(service.open("my-service").has_value(), "opened before there is such a channel");
    check(!service.is_bound() && service.try_send(bytes("x")).error() == errc::not_bound, "not bound yet");
    check(service.wait_bound(20ms).error() == errc::timed_out, "still not");
    for (int round = 1; round != 4; ++round) {
        host.give("announce my-service");
        check(service.wait_bound(2s).has_value(), "bound when it is announced");
        check(bound == round && unbound == round - 1, "on_bound ran once");
        check(service.send(bytes("hello"), 1s).has_value(), "send");
        got.clear();
        poll_until(bus, [&] { return !got.empty(); }, "its echo");
        check(got == "hello from " + std::to_string(service.peer().value()), "got: " + got);
        host.give("withdraw my-service");
        poll_until(bus, [&] { return !service.is_bound(); }, "on_unbound when it is withdrawn");
        check(unbound == round && service.is_open() && service.peer().is_any(), "on_unbound ran once");
    }
    check(nodes() == 1, "only the orders' node is left");
}

void raw()
{
    orders host;
    host.give("announce rpmsg-raw");
    char_bus bus;
    listener one{bus};
    check(one.end.open("rpmsg-raw").has_value() && one.end.wait_bound(2s), "bound to the channel's own node");
    one.echo("through rpmsg-raw");
    check(host.ask("bound rpmsg-raw") == std::to_string(one.end.local().value()),
          "the channel's own address");
    char_bus other_bus;
    listener other{other_bus};
    check(other.end.open("rpmsg-raw").error() == errc::address_in_use, "a second opener is refused: EBUSY");
    check(!other.end.is_open(), "and is not open");
    check(one.end.close().has_value() && nodes() == 2, "a channel's own node is not destroyed");
    check(other.end.open("rpmsg-raw").has_value(), "when the first has closed the second may have it");
    other.echo("through it, too");
    host.give("withdraw rpmsg-raw");
    poll_until(other_bus, [&] { return !other.end.is_bound(); }, "withdrawal");
    check(nodes() == 1, "withdrawn, the node goes");
    host.give("announce rpmsg-raw");
    check(other.end.wait_bound(2s).has_value(), "and comes back");
    other.echo("through the new one");
}

void node()
{
    orders host;
    host.give("announce rpmsg-raw");
    char_bus bus;
    listener by_path{bus};
    check(by_path.end.open("/dev/rpmsg7").has_value() &&
              by_path.end.wait_bound(50ms).error() == errc::timed_out,
          "a node that is not there is waited for");
    check(by_path.end.close().has_value(), "close");
    check(by_path.end.open("/dev/rpmsg1").has_value() && by_path.end.wait_bound(2s), "that node");
    by_path.echo("by its number");
    check(by_path.end.close().has_value() && nodes() == 2, "it stays");
}

void announces()
{
    orders host;
    host.give("announce my-service");
    char_bus bus;
    listener service{bus};
    check(service.end.open("my-service", address{3000}).has_value(), "open");
    check(service.end.wait_bound(2s).has_value(), "bound to the host's of that name");
    check(host.ask("bound my-service") == "3000", "the host heard of it before any message");
    service.echo("announced, both ways");
    check(host.ask("source") == "3000", "from there");
    check(service.end.close().has_value(), "close");
    check(host.ask("bound my-service") == "none", "withdrawn by RELEASE_DEV");
    // The other way around: ours is there first.
    host.give("withdraw my-service");
    check(service.end.open("my-service", address{3001}).has_value(), "open again");
    check(service.end.wait_bound(50ms).error() == errc::timed_out, "to whom to send is not known");
    host.give("announce my-service");
    check(service.end.wait_bound(2s).has_value(), "now it is");
    service.echo("announced, the other way around");
    check(host.ask("bound my-service") == "3001", "the host is bound to it");
    host.give("withdraw my-service");
    poll_until(bus, [&] { return !service.end.is_bound(); }, "withdrawal");
    check(service.end.close().has_value() && nodes() == 1, "nothing is left");
}

void leftover()
{
    orders host;
    host.give("announce my-service");
    check(status_of(forked([] {
              char_bus bus;
              listener service{bus};
              check(service.end.open("my-service", address{3000}).has_value() && service.end.wait_bound(2s),
                    "child");
              service.echo("from a program that is killed now");
              ::kill(::getpid(), SIGKILL);
              return 0;
          })) == 128,
          "the child was killed");
    check(nodes() == 2, "its channel is still there");
    char_bus bus;
    listener service{bus};
    check(service.end.open("my-service", address{3000}).has_value() && service.end.wait_bound(2s),
          "the next one has it");
    service.echo("from its successor");
    char_bus other_bus;
    listener other{other_bus};
    check(other.end.open("my-service", address{3000}).error() == errc::address_in_use,
          "which another has not");
    service.echo("it stays");
    check(service.end.close().has_value() && nodes() == 1, "and released it");

    // One that was left behind may lead to where the peer no longer is.
    check(status_of(forked([] {
              char_bus mine;
              listener once{mine};
              check(once.end.open("my-service", address{3000}).has_value() && once.end.wait_bound(2s),
                    "child");
              ::kill(::getpid(), SIGKILL);
              return 0;
          })) == 128,
          "another child was killed");
    host.give("announce other-service");  // so that the addresses differ
    host.give("withdraw my-service");
    host.give("announce my-service");
    check(service.end.open("my-service", address{3000}).has_value() && service.end.wait_bound(2s),
          "open once more");
    service.echo("where the peer is now");
    check(host.ask("bound my-service") == "3000", "and the host knows");
}

void long_name()
{
    orders host;
    host.give("announce a-name-of-thirty-one-characters");
    char_bus bus;
    listener service{bus};
    check(service.end.open("a-name-of-thirty-one-characters").has_value() && service.end.wait_bound(2s),
          "bound");
    service.echo("31");
    static_assert(sizeof "a-name-of-thirty-one-characters" == 32);
}

void leaves_nothing()
{
    char_bus bus;
    check(nodes() == 0, "none at the beginning");
    for (int round = 0; round != 3; ++round) {
        listener one{bus};
        listener two{bus};
        check(one.end.open(address{4000}, towards{echo_address}) && two.end.open(towards{echo_address}),
              "open");
        one.echo("one");
        two.echo("two");
        check(nodes() == 2, "two nodes");
        check(one.end.close().has_value() && nodes() == 1, "closed and destroyed");
    }
    check(nodes() == 0, "none at the end");
    {
        char_bus shorter;
        listener one{bus};
        check(one.end.open(towards{echo_address}).has_value(), "open");
    }
    check(nodes() == 0, "nor after a bus");
    check(entries("/proc/self/fd", "").size() < 12, "no file stays open");
}

void same_address()
{
    char_bus bus;
    char_bus other_bus;
    listener one{bus};
    listener same{bus};
    listener other{other_bus};
    check(one.end.open(address{4000}, towards{echo_address}).has_value(), "open");
    check(same.end.open(address{4000}, towards{echo_address}).error() == errc::address_in_use,
          "of the same bus");
    check(same.end.open(address{53}).error() == errc::address_in_use, "of the name service");
    // Linux claims it when a node is opened, not when it is made; and such a node cannot be opened to be destroyed.
    check(other.end.open(address{4000}, towards{echo_address}).error() == errc::address_in_use,
          "of another program");
    check(!other.end.is_open(), "and is not open");
    check(other.end.open("my-service", address{4000}).error() == errc::address_in_use, "nor for a channel");
    check(entries("/sys/bus/rpmsg/devices", "virtio0.my-service").empty(), "of which nothing is left");
    one.echo("the first has it");
    check(one.end.close().has_value(), "close");
    poll_until(
        other_bus, [] { return nodes() == 0; }, "the node that could not be opened is destroyed at last");
    check(other.end.open(address{4000}, towards{echo_address}).has_value(), "the address is free");
    other.echo("the second has it");
}

void two_programs()
{
    constexpr int programs = 4;
    constexpr int rounds = 25;
    std::vector<int> children;
    for (int program = 0; program != programs; ++program)
        children.push_back(forked([=] {
            for (int round = 0; round != rounds; ++round) {
                char_bus bus;
                listener mine{bus};
                check(mine.end.open(towards{echo_address}).has_value(), "open");
                for (int i = 0; i != 3; ++i)
                    mine.echo("program " + std::to_string(program) + " round " + std::to_string(round));
                check(mine.all.size() == 3, "another's message");
            }
            return 0;
        }));
    for (const auto child : children)
        check(status_of(child) == 0, "a program got another's node");
    check(nodes() == 0, "a node is left");
}

void hidden_address()
{
    orders host;
    char_bus bus;
    listener chosen{bus};
    check(chosen.end.open(towards{echo_address}).has_value(), "open");
    chosen.echo("from where?");
    const auto from = std::stoul(host.ask("source"));
    check(from >= 1024 && from < 1100, "Linux chose " + std::to_string(from));
    check(chosen.end.local().is_any(), "and does not tell");
    listener given{bus};
    check(given.end.open(address{0x8000'0000}, towards{echo_address}).error() == errc::unsupported,
          "an address of more than 31 bits is none that Linux can have");
    check(given.end.open(address{4000}, towards{echo_address}).has_value(), "open");
    given.echo("from 4000");
    check(given.end.local() == address{4000} && host.ask("source") == "4000", "a given one is known");
}

void unbound()
{
    orders host;
    char_bus bus;
    listener open_to_all{bus};
    check(open_to_all.end.open(address{5000}).has_value(), "open");
    host.give("flood 5000 3");
    poll_until(bus, [&] { return open_to_all.all.size() == 3; }, "messages from whomever");
    check(!open_to_all.end.is_bound(), "but from whom is not known");
    check(open_to_all.end.try_send(bytes("x")).error() == errc::not_bound, "so nothing can be sent");
    check(open_to_all.end.try_send_to(echo_address, bytes("x")).error() == errc::unsupported,
          "nor to anybody else");
    listener towards_one{bus};
    check(towards_one.end.open(towards{echo_address}).has_value(), "open");
    check(towards_one.end.try_send_to(sink_address, bytes("x")).error() == errc::unsupported,
          "a node has one address");
    check(towards_one.end.try_send_to(echo_address, bytes("x")).has_value(), "that one");
    poll_until(bus, [&] { return towards_one.all.size() == 1; }, "its echo");
}

void late()
{
    // The program is there before the driver, as one that is started at boot is.
    check(::mount("none", "/mnt", "tmpfs", 0, nullptr) == 0, "mount");
    char_bus bus{{.root = "/mnt"}};
    listener echo{bus};
    check(echo.end.open(towards{echo_address}).has_value(), "opened without a device");
    check(bus.wait_link(50ms).error() == errc::timed_out && bus.state() == rpmsg::link_state::negotiating,
          "no link");
    check(echo.end.try_send(bytes("x")).error() == errc::link_down && bus.max_payload() == 0, "link_down");
    for (const char* const folder : {"/mnt/sys", "/mnt/dev"})
        ::mkdir(folder, 0755);
    check(::mount("/sys", "/mnt/sys", nullptr, MS_BIND, nullptr) == 0, "mount /sys");
    check(echo.end.wait_bound(300ms).error() == errc::timed_out, "no nodes: udev has not made them yet");
    check(bus.state() == rpmsg::link_state::up, "the link is up");
    check(::mount("/dev", "/mnt/dev", nullptr, MS_BIND, nullptr) == 0, "mount /dev");
    check(echo.end.wait_bound(1s).has_value(), "now");
    echo.echo("late");
}

}  // namespace char_test
