#pragma once

#include "messages.hpp"

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace app {

/// The device's core: services on two links, and what the driver orders.
///
/// @tparam Platform  Sleeps and restarts: see the board.hpp of each pair.
template <typename Platform, typename First, typename Second>
[[noreturn]] void serve(First& first, Second& second, std::uint32_t lives)
{
    report counts{};
    counts.lives = lives;
    checksum sum;
    std::uint32_t to_stream = 0;
    std::uint32_t streamed = 0;
    std::uint32_t to_ask = 0;
    bool appears = false;
    bool restarts = false;

    // What the receiver returns is the reply: any length, checked by who asked.
    rpmsg::endpoint echo{first, [](rpmsg::message in) { return in.payload(); }};
    rpmsg::endpoint echo_of_second{second, [](rpmsg::message in) { return in.payload(); }};

    rpmsg::endpoint count{first, [&](std::span<const std::byte> in) {
                              ++counts.received;
                              sum.add(in);
                          }};
    rpmsg::endpoint known{first, rpmsg::typed<numbered>, [](rpmsg::in_place<const numbered&> in) {
                              return numbered{in->number, ~in->filling};
                          }};

    // Buffers that are kept for later, and given back in another order.
    std::array<rpmsg::rx_buffer, 12> held;
    std::uint32_t holds = 0;
    rpmsg::endpoint hold{first, [&](rpmsg::rx_buffer in) {
                             if (holds == held.size())
                                 ++counts.wrong;
                             else
                                 held[holds++] = std::move(in);
                             counts.held = holds > counts.held ? holds : counts.held;
                         }};
    const auto release = [&] {
        for (std::size_t i = 0; i < held.size(); i += 2)
            held[i].release();
        for (std::size_t i = held.size() - 1; i < held.size(); i -= 2)
            held[i].release();
        holds = 0;
    };

    rpmsg::endpoint stream{first, rpmsg::typed<numbered>};
    rpmsg::endpoint unheard{first, [](rpmsg::message in) { return in.payload(); }};
    rpmsg::endpoint answers{first, rpmsg::typed<numbered>, [](const numbered& in) { return in; }};
    questions asks{first, questions_of_device, answers_of_driver};

    rpmsg::endpoint control{first, rpmsg::typed<order>, [&](const order& in) {
                                switch (static_cast<request>(in.what)) {
                                case request::report: break;
                                case request::stream: to_stream = in.number; break;
                                case request::ask: to_ask = in.number; break;
                                case request::appear: appears = true; break;
                                case request::restart: restarts = true; break;
                                }
                                counts.checksum = sum.value();
                                counts.answered = asks.answered();
                                counts.dropped = first.stats().total() + second.stats().total();
                                return counts;
                            }};

    const bool opened = echo.open("fw.echo") && count.open("fw.count") && hold.open("fw.hold") &&
                        stream.open("fw.stream") && control.open("fw.control") &&
                        echo_of_second.open("fw.echo") &&
                        known.open(static_of_device, rpmsg::towards{static_of_driver}) &&
                        answers.open(answers_of_device, rpmsg::towards{questions_of_driver});
    if (!opened || !asks.good())
        Platform::finish(2);

    for (;;) {
        first.poll(4);  // so that no more come at once than can be held
        second.poll();
        if (restarts)
            Platform::restart();
        if (appears && !unheard.open("fw.dynamic"))
            ++counts.wrong;
        appears = false;
        if (holds > held.size() - 4)
            release();
        for (; streamed != to_stream; ++streamed) {
            auto slot = stream.try_acquire();  // built where the driver will read it
            if (!slot)
                break;
            *slot = {streamed, ~streamed};
            if (!std::move(slot).send())
                ++counts.wrong;
        }
        if (to_ask != 0 && asks.ask(to_ask))
            to_ask = 0;
        if (!asks.good())
            ++counts.wrong;
        // Whoever waits for a buffer is woken by its return: there is nothing to look at meanwhile.
        Platform::sleep_unless([&] { return first.has_work() || second.has_work(); });
    }
}

}  // namespace app
