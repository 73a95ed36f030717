#pragma once

#include "board.hpp"
#include "caller.hpp"
#include "channels.hpp"
#include "failure.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "screen.hpp"

#include <rpmsg/rpmsg.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace demo {

/// How long the device may take for anything. On a busy machine it may have to wait for a core.
inline constexpr std::chrono::seconds patience{10};

/// What the driver's acts have in common.
template <typename Bus>
struct stage {
    Bus& bus;
    std::function<std::string()> fate;  ///< What became of the device: how a sentence begins.
    screen& out;
    const options& chosen;
    const std::uint32_t& doorbells;  ///< That this process rang.
    caller<Bus, command, figures>& control;

    /// The link's end, as a sentence.
    [[noreturn]] void give_up(std::string_view what)
    {
        if (bus.state() != rpmsg::link_state::up)
            throw failure{"{} while the driver waited for {}", fate(), what};
        throw failure{"the driver waited for {} in vain", what};
    }

    /// Polls the bus until something has happened. Neither a dead device nor a silent one makes it wait long.
    ///
    /// @param what  For the sentence that says that it did not happen.
    template <typename Done>
    void await(std::string_view what, Done done)
    {
        using namespace std::chrono_literals;
        const deadline until{patience};
        while (!done()) {
            bus.poll();
            if (done())
                return;
            if (bus.state() != rpmsg::link_state::up || until.passed())
                give_up(what);
            bus.wait_work(100ms);  // a futex does not tell that the device died
        }
    }

    /// Asks a question, built where the device is going to read it, and waits for the answer.
    template <typename Caller, typename Build>
    auto ask(Caller& channel, std::string_view what, Build build)
    {
        await("a free buffer", [&] { return channel.ask(build); });
        await(what, [&] { return channel.has_answer(); });
        return channel.answer();
    }

    /// What the device has to say about itself. @param samples  Wanted of it.
    figures talk_to_device(std::uint32_t samples = 0)
    {
        return ask(control, "the device's figures", [samples](command& c) { c.more_samples = samples; });
    }
};

/// Looks at the counters before and after an act.
template <typename Bus>
class meter {
public:
    explicit meter(stage<Bus>& on) : on_{on}, device_{on.talk_to_device()}, driver_{now()} {}

    /// When the act has enough.
    [[nodiscard]] const goal& enough() const { return enough_; }
    /// The device's figures at the beginning.
    [[nodiscard]] const figures& device() const { return device_; }

    /// Completes what the act knows by itself: time, doorbells, drops.
    row finish(row seen)
    {
        seen.time = enough_.passed();
        const auto driver = now();
        const auto device = on_.talk_to_device();
        seen.doorbells = driver.doorbells - driver_.doorbells + device.doorbells - device_.doorbells;
        seen.dropped += driver.faults - driver_.faults + device.faults - device_.faults;
        return seen;
    }

private:
    [[nodiscard]] figures now() const { return {on_.doorbells, on_.bus.stats().total(), 0, 0}; }

    stage<Bus>& on_;
    figures device_;
    figures driver_;
    goal enough_{on_.chosen.messages, on_.chosen.time / 4};  // there are four acts
};

}  // namespace demo
