#pragma once

#include "burst_act.hpp"
#include "caller.hpp"
#include "channel_note.hpp"
#include "channels.hpp"
#include "echo_act.hpp"
#include "failure.hpp"
#include "matrix_act.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "screen.hpp"
#include "stage.hpp"
#include "telemetry_act.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

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

/// All acts and the table, whoever the device is; then the bus is stopped.
///
/// @param begin      When the device was there.
/// @param doorbells  That this side rang.
/// @param fate       See stage.
/// @param last_act   Called before the table, with the stage, the endpoints for echoes and bursts, and whether
///                   all channels are bound.
/// @return  The table.
template <typename Bus, typename Last>
std::array<row, 4> perform(Bus& bus, monotonic::time_point begin, const std::uint32_t& doorbells,
                           const options& chosen, screen& out, std::function<std::string()> fate,
                           Last last_act)
{
    // These wait for channels of their names: they bind when the device announces them, and once more when
    // it was started again.
    echo_check echoes;
    rpmsg::endpoint echo{bus, [&](rpmsg::message in) { echoes.hear(in); }, notes(&out, echo_channel)};
    telemetry_check samples;
    rpmsg::endpoint telemetry{bus, rpmsg::typed<sample>,
                              [&](rpmsg::in_place<const sample&> heard) { samples.hear(*heard); },
                              notes(&out, telemetry_channel)};
    caller<Bus, operands, matrix> multiplier{bus, notes(&out, matrix_channel)};
    rpmsg::endpoint burst{bus, rpmsg::no_receiver{}, notes(&out, burst_channel)};
    must(echo.open(echo_channel), "cannot open demo.echo");
    must(telemetry.open(telemetry_channel), "cannot open demo.telemetry");
    must(multiplier.open(matrix_channel), "cannot open demo.matrix");
    must(burst.open(burst_channel), "cannot open demo.burst");

    // This one does not wait: it is opened when the device announces a channel that nobody waits for.
    caller<Bus, command, figures> control{bus};
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

    stage<Bus> on{bus, std::move(fate), out, chosen, doorbells, control};
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
    last_act(on, echo, echoes, burst, all_are_bound);
    out.table(rows);
    bus.stop();
    return rows;
}

}  // namespace demo
