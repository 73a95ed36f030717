#include "kernel/guest/device.hpp"
#include "kernel/guest/modes.hpp"
#include "kernel/guest/system.hpp"

#include <cerrno>
#include <string>
#include <string_view>

// The host's end of these is host/channels.hpp.
namespace guest {

namespace {

constexpr std::uint32_t echo_address = 77;
constexpr std::uint32_t orders_address = 60;

/// Tells the host what to do; it answers when it has done it.
class orders {
public:
    explicit orders(const control& by) : to_{by.create_endpoint("orders", 3000, orders_address).path} {}
    void give(std::string_view what) const
    {
        to_.write(bytes_of(what));
        const auto answer = text_of(to_.read());
        if (answer != "done")
            fail("the host's answer to '{}' is '{}'", what, answer);
    }

private:
    node to_;
};

}  // namespace

void endpoints()
{
    const control maker;
    const auto first = maker.create_endpoint("one", 2001, echo_address);
    check(first.src == 2001 && first.dst == echo_address, "sysfs says what was asked for");
    {
        const node one{first.path};
        one.echo(bytes_of("from 2001"));
        bool busy = false;
        try {
            const node again{first.path};
        } catch (const std::system_error& refused) {
            busy = refused.code().value() == EBUSY;
        }
        check(busy, "a second open is EBUSY");
    }
    // Its address was given back when it was closed: another may have it.
    const auto second = maker.create_endpoint("two", 2001, echo_address);
    {
        const node two{second.path};
        two.echo(bytes_of("from 2001 too"));
        check(destroy_endpoint(two) == 0, "an endpoint that is open is destroyed");
        check(two.try_write(bytes_of("late")) == EPIPE, "a destroyed endpoint does not write");
    }
    wait_no_node("two");
    const node any_address{maker.create_endpoint("any", any, echo_address).path};
    any_address.echo(bytes_of("from the next free address"));
}

void ours()
{
    const control maker;
    for (int round = 0; round != 3; ++round) {
        check(maker.create_channel("rpmsg-raw", 700, any) == 0, "a channel is made");
        {
            const node raw{wait_node("rpmsg-raw").path};
            const auto greeting = text_of(raw.read());  // the host answers the announcement by a message
            check(greeting == "welcome, rpmsg-raw", "the host greets the new channel");
        }
        check(maker.create_channel("rpmsg-raw", 700, any) == ENXIO, "the same channel is refused");
        check(maker.release_channel("rpmsg-raw", 700, any) == 0, "a channel is released");
        wait_no_node("rpmsg-raw");
        check(maker.release_channel("rpmsg-raw", 700, any) == EINVAL, "what is gone is not released");
    }
    // Who powers off before the host has heard the last withdrawal does not know whether it does.
    node{maker.create_endpoint("end", 2001, echo_address).path}.echo(bytes_of("that was all"));
}

void theirs()
{
    const control maker;
    const orders host{maker};
    for (int round = 0; round != 3; ++round) {
        host.give("open");
        const auto made = wait_node("rpmsg-raw");
        check(made.dst == 900, "the channel has the host's address");
        const node raw{made.path};
        raw.echo(bytes_of("a channel of the host"));
        host.give("close");
        check(raw.read_error() == EPIPE, "a reader gets EPIPE when the channel is withdrawn");
        check(raw.try_write(bytes_of("late")) == EPIPE, "and a writer");
        wait_no_node("rpmsg-raw");
    }
}

}  // namespace guest
