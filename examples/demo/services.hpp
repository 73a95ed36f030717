#pragma once

#include "channels.hpp"
#include "frame_sink.hpp"
#include "sample_source.hpp"

#include <rpmsg/rpmsg.hpp>

#include <cstdint>
#include <utility>

namespace demo {

/// The device, be it a process or firmware: five endpoints, and a loop.
///
/// @param doorbells  That the device rang.
/// @param note   `note(name)`: the observer that goes with the endpoint of this channel.
/// @param sleep  Called when there is nothing more to do for now; the loop ends when it is false.
/// @return  Why an endpoint could not be opened.
template <typename Bus, typename Note, typename Sleep>
rpmsg::result<void> offer_services(Bus& bus, sample_source& source, frame_sink& sink,
                                   const std::uint32_t& doorbells, Note note, Sleep sleep)
{
    // What a receiver returns is the reply.
    rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }, note(echo_channel)};
    rpmsg::endpoint multiplier{bus, rpmsg::typed<operands>,
                               [](rpmsg::in_place<const operands&> of) { return product(*of); },
                               note(matrix_channel)};
    rpmsg::endpoint telemetry{bus, rpmsg::typed<sample>, rpmsg::no_receiver{}, note(telemetry_channel)};
    rpmsg::endpoint burst{bus,
                          [&](rpmsg::rx_buffer in) {
                              if (sink.keep(std::move(in)))
                                  sink.give_back(bus);
                          },
                          note(burst_channel)};
    rpmsg::endpoint control{bus, rpmsg::typed<command>,
                            [&](const command& wanted) {
                                source.add(wanted.more_samples);
                                sink.give_back(bus);
                                return figures{doorbells, bus.stats().total(), sink.frames(), sink.wrong()};
                            },
                            note(control_channel)};

    // Before there is a link: they are announced as soon as it comes up, and again after each restart.
    for (const auto& opened :
         {echo.open(echo_channel), telemetry.open(telemetry_channel), multiplier.open(matrix_channel),
          burst.open(burst_channel), control.open(control_channel)})
        if (!opened)
            return opened;

    do {
        bus.poll();
        source.send_some(bus, telemetry);
    } while (sleep());
    return {};
}

}  // namespace demo
