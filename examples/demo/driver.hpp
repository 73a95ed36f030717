#pragma once

#include "board.hpp"
#include "burst_act.hpp"
#include "caller.hpp"
#include "channel_note.hpp"
#include "channels.hpp"
#include "echo_act.hpp"
#include "failure.hpp"
#include "hand_over.hpp"
#include "matrix_act.hpp"
#include "recovery_act.hpp"
#include "screen.hpp"
#include "stage.hpp"
#include "telemetry_act.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <unistd.h>

namespace demo {

/// Says what went wrong, if anything did.
inline void judge(std::span<const row> rows)
{
    std::uint64_t dropped = 0;
    std::uint64_t errors = 0;
    for (const auto& r : rows) {
        dropped += r.dropped;
        errors += r.errors;
    }
    if (dropped + errors != 0)
        throw failure{"{} messages were dropped and {} were wrong", dropped, errors};
}

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

/// The driver process: it makes the memory, gets a device process, and talks to it.
template <rpmsg::policy::board Board>
void drive(const options& chosen, screen& out)
{
    using namespace rpmsg::platform;
    using bus_type = rpmsg::driver_bus<Board>;

    constexpr process_layout layout{.buffers = 64};
    const auto files = must(link_files::create(layout.size(), "rpmsg-demo"), "cannot make the shared memory");
    const auto memory = files.memory.bytes();

    process_end end{files, rpmsg::virtio::role::driver};
    std::uint32_t doorbells = 0;
    auto policies = end.policies<Board>();
    policies.doorbell.count_into(doorbells);
    bus_type bus{layout.write_table(memory), layout.pool(memory), policies};

    // These wait for channels of their names: they bind when the device announces them, and once more when
    // it was started again.
    echo_check echoes;
    rpmsg::endpoint echo{bus, [&](rpmsg::message in) { echoes.hear(in); }, notes(&out, echo_channel)};
    telemetry_check samples;
    rpmsg::endpoint telemetry{bus, rpmsg::typed<sample>,
                              [&](rpmsg::in_place<const sample&> heard) { samples.hear(*heard); },
                              notes(&out, telemetry_channel)};
    caller<bus_type, operands, matrix> multiplier{bus, notes(&out, matrix_channel)};
    rpmsg::endpoint burst{bus, rpmsg::no_receiver{}, notes(&out, burst_channel)};
    must(echo.open(echo_channel), "cannot open demo.echo");
    must(telemetry.open(telemetry_channel), "cannot open demo.telemetry");
    must(multiplier.open(matrix_channel), "cannot open demo.matrix");
    must(burst.open(burst_channel), "cannot open demo.burst");

    // This one does not wait: it is opened when the device announces a channel that nobody waits for.
    caller<bus_type, command, figures> control{bus};
    rpmsg::observer watch{bus, rpmsg::on_announced{[&](const rpmsg::announcement& news) {
                              if (news.name() != control_channel.c_str())
                                  return;
                              static_cast<void>(control.open(rpmsg::towards{news.address()}));
                              out.fact("channel", fmt::format("{:<16} announced by {}, and opened here",
                                                              news.name(), news.address()));
                          }},
                          rpmsg::on_link{[&](rpmsg::link_state state) {
                              if (state == rpmsg::link_state::lost)
                                  control.close();
                          }}};
    must(watch.open(), "cannot watch the bus");

    introduce(chosen, out, memory.size());
    device_process device{chosen};
    const auto begin = device.start(files, end);
    out.fact("device", fmt::format("process {}", device.pid()));

    stage<bus_type> on{bus, device, out, chosen, doorbells, control};
    const auto all_are_bound = [&] {
        return echo.is_bound() && telemetry.is_bound() && multiplier.is_bound() && burst.is_bound() &&
               control.is_bound();
    };
    on.await("the device's channels", all_are_bound);
    out.fact("link", fmt::format("up after {:.1f} ms, for payloads of up to {} bytes",
                                 microseconds{monotonic::now() - begin}.count() / 1000, bus.max_payload()));

    out.gap();
    std::array rows{run_echo(on, echo, echoes), run_telemetry(on, samples), run_matrix(on, multiplier),
                    run_burst(on, burst)};
    if (chosen.kill)
        run_recovery(on, echo, echoes, burst, all_are_bound, [&] { device.start(files, end); });
    out.table(rows);

    bus.stop();
    device.finish();
    judge(rows);
}

}  // namespace demo
