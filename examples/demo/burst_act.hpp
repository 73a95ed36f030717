#pragma once

#include "stage.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <utility>

namespace demo {

/// Sends frames as long as there are buffers, 16 for each doorbell; waits when there are none.
///
/// @param next  The number of the next frame.
/// @param most  How many at most.
/// @return  How many, at least one.
template <typename Bus, typename Burst>
std::uint32_t send_frames(stage<Bus>& on, Burst& burst, std::uint32_t next, std::uint32_t most)
{
    auto frame = burst.try_acquire();
    if (!frame)
        on.await("a free buffer", [&] { return bool{frame = burst.try_acquire()}; });

    const rpmsg::batch together{on.bus};
    for (std::uint32_t sent = 0;;) {
        const auto payload = frame.payload();
        std::memcpy(payload.data(), &next, sizeof next);
        fill(payload.subspan(sizeof next), next);
        if (!std::move(frame).send(payload.size()))
            on.give_up("the link");
        ++next;
        if (++sent == most)
            return sent;
        frame = burst.try_acquire();
        if (!frame)
            return sent;
    }
}

/// Whole buffers, written and read in place: the device holds 16 at a time before it looks at them.
template <typename Bus, typename Burst>
row run_burst(stage<Bus>& on, Burst& burst)
{
    row seen{.channel = burst_channel.c_str()};
    meter measured{on};
    const auto& enough = measured.enough();
    const std::uint64_t size = on.bus.max_payload();

    std::uint32_t sent = 0;
    while (!enough.reached(sent)) {
        sent += send_frames(on, burst, sent, enough.left(sent, 16));
        if (on.out.wants_progress())
            on.out.progress(
                "burst", enough.share(sent),
                fmt::format("{:.0f} MB/s", static_cast<double>(sent * size) / enough.passed().count() / 1e6));
    }
    // Whoever answers this has taken all the frames before it.
    const auto device = on.talk_to_device();
    seen.messages = sent;
    seen.bytes = sent * size;
    seen.dropped = sent - (device.frames - measured.device().frames);
    seen.errors = device.wrong_frames - measured.device().wrong_frames;
    seen = measured.finish(std::move(seen));
    on.out.verdict("burst", seen.errors + seen.dropped == 0,
                   fmt::format("{} frames of {} bytes, written and read in place", grouped(sent), size));
    return seen;
}

}  // namespace demo
