#pragma once

#include "screen.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

namespace demo {

/// Shows that a channel has found its peer.
struct channel_note {
    screen* out = nullptr;  ///< None: says nothing.
    rpmsg::name channel;

    void operator()(rpmsg::address peer) const
    {
        if (out != nullptr)
            out->fact("channel", fmt::format("{:<16} bound to {}", channel, peer));
    }
};

/// `rpmsg::endpoint echo{bus, receiver, notes(&out, "demo.echo")}`
inline auto notes(screen* out, rpmsg::name channel) { return rpmsg::on_bound{channel_note{out, channel}}; }

}  // namespace demo
