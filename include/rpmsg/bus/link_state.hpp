#pragma once

#include <cstdint>

namespace rpmsg {

/// Where a link stands.
///
///     down ──start──▶ negotiating ──▶ up ──▶ lost ──▶ negotiating …
///
/// Nothing depends on who starts first: endpoints may be opened in any state.
enum class link_state : std::uint8_t {
    down,         ///< Not started, or stopped.
    negotiating,  ///< Waiting for the peer: its table, its DRIVER_OK, its reset.
    up,           ///< Messages flow.
    lost,         ///< The peer restarted, went away or broke the rings; the next poll negotiates again.
};

}  // namespace rpmsg
