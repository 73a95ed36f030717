#pragma once

#include "burst_act.hpp"
#include "echo_act.hpp"
#include "hand_over.hpp"
#include "stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace demo {

/// Kills the device in the middle of a burst, has it started again, and goes on with the same endpoints.
///
/// @param all_are_bound  Whether the device has announced its channels.
template <typename Bus, typename Echo, typename Burst, typename Bound>
void run_recovery(stage<Bus>& on, device_process& device, Echo& echo, echo_check& check, Burst& burst,
                  Bound all_are_bound)
{
    using milliseconds = std::chrono::duration<double, std::milli>;

    std::uint32_t number = 0;
    const auto send_until = [&](std::uint32_t end) {
        while (number < end)
            number += send_frames(on, burst, number, std::min(16U, end - number));
    };
    send_until(20'000);
    const auto killed = device.pid();
    const auto death = monotonic::now();
    device.kill();

    // Nobody takes frames any more. When the buffers are used up the pidfd says why.
    const deadline until{patience};
    while (on.bus.state() == rpmsg::link_state::up && !until.passed()) {
        if (auto frame = burst.try_acquire())
            static_cast<void>(std::move(frame).send(0));
        on.bus.poll();
    }
    if (on.bus.state() == rpmsg::link_state::up)
        throw failure{"the driver did not notice that process {} was killed", killed};
    const milliseconds noticed = monotonic::now() - death;
    on.out.gap();
    on.out.fact("killed", fmt::format("process {} after {} frames; the driver noticed after {:.1f} ms",
                                      killed, grouped(number), noticed.count()));

    device.start();
    on.out.fact("device", fmt::format("process {}", device.pid()));
    on.await("the channels of the new device", all_are_bound);
    const milliseconds back = monotonic::now() - death;

    // All frames of the new link count: none may be lost, and none of the old ones may turn up.
    const auto first = number;
    send_until(first + 2000);
    constexpr std::uint32_t echoes = 200;
    std::uint32_t different = 0;
    std::array<std::byte, 64> payload{};
    for (std::uint32_t i = 0; i != echoes; ++i) {
        fill(payload, i);
        check.expect(payload.size(), i);
        on.await("a free buffer", [&] { return echo.try_send(payload).has_value(); });
        on.await("an echo", [&] { return check.came(); });
        different += check.is_equal() ? 0U : 1U;
    }
    const auto figures = on.talk_to_device();
    if (figures.frames != number - first || figures.wrong_frames + figures.faults + different != 0)
        throw failure{"after its restart the device got {} frames of {}; {} were wrong, and {} echoes",
                      figures.frames, number - first, figures.wrong_frames, different};
    on.out.verdict(
        "recovery", true,
        fmt::format("back {:.1f} ms after SIGKILL; {} more frames and {} echoes on the same endpoints",
                    back.count(), grouped(number - first), echoes));
}

}  // namespace demo
