#pragma once

#include "dev_way.hpp"
#include "failure.hpp"
#include "guest_way.hpp"
#include "link_way.hpp"
#include "meeting.hpp"
#include "waiting.hpp"
#include "way_options.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/platform/linux/vhost_user.hpp>
#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <utility>

namespace tool {

// A way is a bus and how to wait for it. Commands are templates over it:
//
//     Way::kind            its name for a script: "link"
//     Way::nobody          what to say when there is no other side
//     way.bus()            endpoints are made on it
//     way.attend()         before each poll of the bus; throws failure when the other side has gone for good
//     way.add_files(…)     what to sleep on until the next poll

/// Goes the way that was chosen, and runs `command(way, until)` at its end, where `until` is how long the other side
/// may take to come. Does nothing when the user wants to stop meanwhile.
template <typename Command>
void go(const way_options& chosen, Command command)
{
    take_signals();
    const auto until = after(seconds{chosen.patience});
    if (!chosen.link.empty()) {
        auto socket = connect_to(chosen.link, until);
        if (stop_asked())
            return;
        link_way way{std::move(socket)};
        command(way, until);
    } else if (!chosen.guest.empty() && chosen.offer.event_idx) {
        one_guest_way<event_idx_board> way{chosen.guest, chosen.offer};
        command(way, until);
    } else if (!chosen.guest.empty()) {
        one_guest_way<rpmsg::platform::vhost_user_board> way{chosen.guest, chosen.offer};
        command(way, until);
    } else {
        dev_way way{chosen.device};
        command(way, until);
    }
}

/// Opens an endpoint as the options say, and waits until it is bound.
///
/// @return  false: the user wants to stop.
template <typename Way, typename Endpoint>
bool reach(Way& way, Endpoint& endpoint, const way_options& chosen, moment until)
{
    const auto from = chosen.from ? rpmsg::address{*chosen.from} : rpmsg::any_address;
    auto opened = rpmsg::result<void>{};
    if (chosen.to && chosen.from)
        opened = endpoint.open(from, rpmsg::towards{*chosen.to});
    else if (chosen.to)
        opened = endpoint.open(rpmsg::towards{*chosen.to});
    else
        opened = endpoint.open(chosen.channel(), from);
    if (opened.error() == rpmsg::errc::address_in_use)
        throw failure{status::failed, "cannot talk to {}: another endpoint or program has the address",
                      chosen.name};
    must(opened, "cannot open an endpoint");

    const auto is_up = [&] { return way.bus().state() == rpmsg::link_state::up; };
    if (work_until(way, until, [&] { return is_up() && endpoint.is_bound(); }))
        return true;
    if (stop_asked())
        return false;
    if (const auto why = way.bus().refusal(); why != rpmsg::errc{} && why != rpmsg::errc::link_down)
        throw failure{status::failed, "cannot talk to {}: {}", chosen.name, reason(why)};
    if (!is_up())
        throw failure{status::failed, "{}, within {} s", Way::nobody, chosen.patience};
    throw failure{status::failed, "nobody on the other side came for {} within {} s", chosen.name,
                  chosen.patience};
}

/// Refuses a payload that is longer than the link carries.
template <typename Way>
void check_size(Way& way, std::size_t size)
{
    if (size > way.bus().max_payload())
        throw failure{status::bad_input, "a message of {} bytes does not fit: this link carries up to {}",
                      size, way.bus().max_payload()};
}

}  // namespace tool
