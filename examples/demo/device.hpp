#pragma once

#include "board.hpp"
#include "channel_note.hpp"
#include "channels.hpp"
#include "failure.hpp"
#include "frame_sink.hpp"
#include "hand_over.hpp"
#include "options.hpp"
#include "sample_source.hpp"
#include "screen.hpp"

#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <utility>

#include <unistd.h>

namespace demo {

/// The first lines, where somebody starts the device by hand.
inline void introduce_device(const options& chosen, screen& out)
{
    out.heading("The device of a link between two processes: it serves as long as its driver lives.");
    out.fact("device", fmt::format("process {}", ::getpid()));
    out.fact("looks for", fmt::format("demo --role driver --socket {}", chosen.socket));
}

/// The device process: five endpoints, and a loop that ends with the driver.
///
/// Firmware looks like this too, but for where the link comes from.
///
/// @param out  Where to tell of it; nullptr for a child, whose parent does that.
template <rpmsg::policy::board Board>
void serve(const taken_link& link, screen* out)
{
    using namespace std::chrono_literals;
    using namespace rpmsg::platform;

    const auto memory = link.files.memory.bytes();
    process_end end{link.files, rpmsg::virtio::role::device};
    must(end.watch(must(link.driver.duplicate(), "cannot watch the driver")), "cannot watch the driver");
    std::uint32_t doorbells = 0;
    auto policies = end.policies<Board>();
    policies.doorbell.count_into(doorbells);
    rpmsg::device_bus<Board> bus{must(process_layout::table_in(memory), "cannot use the memory"), policies};

    // The services. What a receiver returns is the reply.
    rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }, notes(out, echo_channel)};
    rpmsg::endpoint multiplier{bus, rpmsg::typed<operands>,
                               [](rpmsg::in_place<const operands&> of) { return product(*of); },
                               notes(out, matrix_channel)};
    sample_source source;
    rpmsg::endpoint telemetry{bus, rpmsg::typed<sample>, rpmsg::no_receiver{}, notes(out, telemetry_channel)};
    frame_sink sink;
    rpmsg::endpoint burst{bus,
                          [&](rpmsg::rx_buffer in) {
                              if (sink.keep(std::move(in)))
                                  sink.give_back(bus);
                          },
                          notes(out, burst_channel)};
    rpmsg::endpoint control{bus, rpmsg::typed<command>,
                            [&](const command& wanted) {
                                source.add(wanted.more_samples);
                                sink.give_back(bus);
                                return figures{doorbells, bus.stats().total(), sink.frames(), sink.wrong()};
                            },
                            notes(out, control_channel)};

    // Before there is a link: they are announced as soon as it comes up, and again after each restart.
    must(echo.open(echo_channel), "cannot open demo.echo");
    must(telemetry.open(telemetry_channel), "cannot open demo.telemetry");
    must(multiplier.open(matrix_channel), "cannot open demo.matrix");
    must(burst.open(burst_channel), "cannot open demo.burst");
    must(control.open(control_channel), "cannot open demo.control");

    while (end.peer().peer() != rpmsg::policy::peer_life::gone) {
        bus.poll();
        source.send_some(bus, telemetry);
        bus.wait_work(100ms);  // a futex does not tell that the driver died
    }
    if (out != nullptr)
        out->fact("driver", fmt::format("has gone; {} frames came, {} of them wrong; {} doorbells were rung",
                                        grouped(sink.frames()), sink.wrong(), grouped(doorbells)));
}

}  // namespace demo
