#pragma once

#include "board.hpp"
#include "channel_note.hpp"
#include "failure.hpp"
#include "frame_sink.hpp"
#include "hand_over.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "sample_source.hpp"
#include "screen.hpp"
#include "services.hpp"

#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>

#include <unistd.h>

namespace demo {

/// The first lines, where somebody starts the device by hand.
inline void introduce_device(const options& chosen, screen& out)
{
    out.heading("The device of a link between two processes: it serves as long as its driver lives.");
    out.fact("device", fmt::format("process {}", ::getpid()));
    out.fact("looks for", fmt::format("demo --role driver --socket {}", chosen.socket));
}

/// The device process: serves until the driver has gone.
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

    sample_source source{now};
    frame_sink sink;
    must(offer_services(
             bus, source, sink, doorbells, [out](rpmsg::name channel) { return notes(out, channel); },
             [&] {
                 bus.wait_work(100ms);  // a futex does not tell that the driver died
                 return end.peer().peer() != rpmsg::policy::peer_life::gone;
             }),
         "cannot offer the services");
    if (out != nullptr)
        out->fact("driver", fmt::format("has gone; {} frames came, {} of them wrong; {} doorbells were rung",
                                        grouped(sink.frames()), sink.wrong(), grouped(doorbells)));
}

}  // namespace demo
