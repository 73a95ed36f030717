#pragma once

#include "board.hpp"
#include "failure.hpp"
#include "hand_over.hpp"
#include "options.hpp"
#include "performance.hpp"
#include "recovery_act.hpp"
#include "screen.hpp"

#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

#include <unistd.h>

namespace demo {

/// The first lines.
inline void introduce(const options& chosen, screen& out, std::size_t bytes)
{
    out.heading(
        fmt::format("Two processes talk RPMsg over {} KiB of shared memory and wake each other by {}.",
                    bytes / 1024, chosen.bell == doorbell::futex ? "futex" : "eventfd"));
    out.fact("driver", fmt::format("process {}", ::getpid()));
    if (!chosen.socket.empty())
        out.fact("waits for", fmt::format("demo --role device --socket {}", chosen.socket));
}

/// The driver of another process: it makes the memory, gets a device process, and talks to it.
template <rpmsg::policy::board Board>
void drive(const options& chosen, screen& out)
{
    using namespace rpmsg::platform;

    constexpr process_layout layout{.buffers = 64};
    const auto files = must(link_files::create(layout.size(), "rpmsg-demo"), "cannot make the shared memory");
    const auto memory = files.memory.bytes();

    process_end end{files, rpmsg::virtio::role::driver};
    std::uint32_t doorbells = 0;
    auto policies = end.policies<Board>();
    policies.doorbell.count_into(doorbells);
    rpmsg::driver_bus<Board> bus{layout.write_table(memory), layout.pool(memory), policies};

    introduce(chosen, out, memory.size());
    device_process device{chosen, files, end};
    const auto begin = device.start();
    out.fact("device", fmt::format("process {}", device.pid()));

    const auto rows = perform(
        bus, begin, doorbells, chosen, out, [&] { return device.fate(); },
        [&](auto& on, auto& echo, echo_check& echoes, auto& burst, auto all_are_bound) {
            if (chosen.kill)
                run_recovery(on, device, echo, echoes, burst, all_are_bound);
        });
    device.finish();
    judge(rows);
}

}  // namespace demo
