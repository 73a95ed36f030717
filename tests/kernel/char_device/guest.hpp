#pragma once

#include <rpmsg/platform/linux/char_device.hpp>
#include <rpmsg/rpmsg.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

/// What main.cpp tries: a function for each mode, which throws when something is wrong.
namespace char_test {

using namespace std::chrono_literals;
using rpmsg::platform::char_bus;
using rpmsg::platform::char_place;
using clock = std::chrono::steady_clock;

inline constexpr rpmsg::address orders_address{60};
inline constexpr rpmsg::address sink_address{62};
inline constexpr rpmsg::address echo_address{77};

// messages.cpp
void sizes();        ///< Messages of 0 to 496 bytes are whole; longer ones are refused.
void learns();       ///< Where the bus is told of longer ones, the kernel's EMSGSIZE teaches it.
void in_place();     ///< acquire(), typed, rx_buffer.
void own_epoll();    ///< One file for one's own epoll.
void full();         ///< errc::full, errc::timed_out, and on as soon as there is room.
void tx_ready();     ///< on_tx_ready, for senders that never wait.
void replies();      ///< Results of receivers wait for room.
void signals();      ///< Signals neither end nor prolong anything.
void slow_reader();  ///< What is not read waits in the kernel, in order.
void ping();         ///< Round trips, timed.

// nodes.cpp
void by_name();         ///< A channel that the host announces, and no driver knows.
void raw();             ///< rpmsg-raw: a channel with a node of its own, which has one opener.
void node();            ///< A node that is there already.
void announces();       ///< Channels of ours that the host hears of.
void leftover();        ///< Such a channel after its program was killed.
void long_name();       ///< 31 characters.
void leaves_nothing();  ///< Nodes that were made are destroyed, and others are not.
void same_address();    ///< An address that another has.
void two_programs();    ///< They make nodes at the same time.
void hidden_address();  ///< Linux does not say which address it chose.
void unbound();         ///< Nor who sent a message.
void late();            ///< Programs that start before the firmware.

// restart.cpp
void restart();  ///< unbind and bind of the virtio device in the middle of traffic.
void killed();   ///< The host's process is no more.
void example();  ///< examples/16_char_device.cpp.

/// A line of the kernel's log.
inline void say(const std::string& text)
{
    static const int log = ::open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    const auto line = "<5>guest: " + text + "\n";
    static_cast<void>(::write(log, line.data(), line.size()));
}
inline void check(bool good, const std::string& what)
{
    if (!good)
        throw std::runtime_error{what};
}
inline std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span{text}); }
inline std::string text(std::span<const std::byte> of)
{
    return {reinterpret_cast<const char*>(of.data()), of.size()};
}

/// Polls until it is true; fails after that time.
template <typename Done>
void poll_until(char_bus& bus, Done done, const std::string& what, std::chrono::milliseconds longest = 5s)
{
    for (const auto end = clock::now() + longest; !done();) {
        check(clock::now() < end, "waited for " + what + " in vain");
        bus.poll();
        if (!done())
            bus.wait_work(20ms);
    }
}

/// An endpoint that keeps what it hears.
struct heard {
    std::vector<std::string>* all;
    void operator()(std::span<const std::byte> in) const { all->push_back(text(in)); }
};
class listener {
public:
    explicit listener(char_bus& bus) : bus_{bus}, end{bus, {&all}} {}
    /// Sends and waits for the answer.
    std::string ask(std::string_view what)
    {
        const auto before = all.size();
        check(end.wait_bound(5s).has_value(), "no endpoint to send '" + std::string{what} + "' by");
        const auto sent = end.send(bytes(what), 5s);
        check(sent.has_value(), "send: error " + std::to_string(static_cast<int>(sent.error())));
        poll_until(bus_, [&] { return all.size() > before; }, "an answer to '" + std::string{what} + "'");
        return all.back();
    }
    void echo(std::string_view what) { check(ask(what) == what, "an echo that is something else"); }

private:
    char_bus& bus_;

public:
    std::vector<std::string> all;
    rpmsg::endpoint<char_bus, void, heard> end;
};

/// Tells the host what to do.
class orders {
public:
    orders() { check(told_.end.open(rpmsg::towards{orders_address}).has_value(), "the orders' endpoint"); }
    std::string ask(const std::string& what) { return told_.ask(what); }
    void give(const std::string& what) { check(ask(what) == "done", "the host did not: " + what); }

private:
    char_bus bus_;
    listener told_{bus_};
};

/// What there is in a folder that begins like this.
inline std::vector<std::string> entries(const char* folder, std::string_view begins)
{
    std::vector<std::string> found;
    auto* const all = ::opendir(folder);
    while (const auto* const one = all != nullptr ? ::readdir(all) : nullptr)
        if (std::string_view{one->d_name}.starts_with(begins))
            found.emplace_back(one->d_name);
    if (all != nullptr)
        ::closedir(all);
    return found;
}
/// /dev/rpmsgN, but no control devices.
inline std::size_t nodes() { return entries("/dev", "rpmsg").size() - entries("/dev", "rpmsg_ctrl").size(); }

}  // namespace char_test
