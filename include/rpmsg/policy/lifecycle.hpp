#pragma once

#include <concepts>
#include <cstdint>

namespace rpmsg::policy {

/// What a board knows of its peer beyond what the rings and the status byte say.
enum class peer_life : std::uint8_t {
    unknown,    ///< No news: what the rings say is all there is.
    alive,      ///< It runs.
    gone,       ///< It has stopped, crashed or was killed: the link is lost until it is back.
    restarted,  ///< It runs anew since it was last asked: the link starts over. Said once.
};

/// Tells whether the peer is alive: a reset line, a watchdog, a pidfd, a socket.
///
/// @context peer(): called at each poll, from the context that polls; must not block.
template <typename T>
concept lifecycle = requires(T model) {
    { T::ever_knows } -> std::convertible_to<bool>;  ///< False: peer() is not even called.
    { model.peer() } noexcept -> std::same_as<peer_life>;
};

/// Knows nothing.
struct no_lifecycle {
    static constexpr bool ever_knows = false;
    constexpr peer_life peer() noexcept { return peer_life::unknown; }
};
static_assert(lifecycle<no_lifecycle>);

}  // namespace rpmsg::policy
