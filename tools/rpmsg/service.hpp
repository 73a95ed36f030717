#pragma once

#include "channel_log.hpp"
#include "failure.hpp"

#include <rpmsg/rpmsg.hpp>

#include <string>
#include <utility>

namespace tool {

/// The endpoint of a service: it tells its log who comes and goes.
template <typename Bus, typename Receiver>
using served = rpmsg::endpoint<typename Bus::basic, void, Receiver, rpmsg::on_bound<channel_log::hook>,
                               rpmsg::on_unbound<channel_log::hook>>;

template <typename Bus, typename Receiver>
served<Bus, Receiver> make_served(Bus& bus, channel_log& log, Receiver receiver)
{
    return {bus, std::move(receiver),
            channel_log::hook{[&log](rpmsg::address peer) { log.tell_bound(peer); }},
            channel_log::hook{[&log](rpmsg::address peer) { log.tell_unbound(peer); }}};
}

/// Announces it by the log's name, which was checked, at the log's address.
template <typename Endpoint>
void open_served(Endpoint& endpoint, const channel_log& log)
{
    must(endpoint.open(*rpmsg::name::from_static(log.name().c_str()), log.local()),
         "cannot serve " + log.name());
}

}  // namespace tool
