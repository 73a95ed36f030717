#pragma once

#include <rpmsg/policy/address_map.hpp>
#include <rpmsg/policy/clock.hpp>
#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/policy/exclusion.hpp>
#include <rpmsg/policy/lifecycle.hpp>
#include <rpmsg/policy/ring_size.hpp>
#include <rpmsg/policy/wait.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace rpmsg::policy {

/// When this side wants to hear the peer's doorbell for messages.
enum class inbound : std::uint8_t {
    polled,                ///< Never: it looks by itself. The peer is told once.
    always,                ///< For every message; nothing is written.
    quiet_while_draining,  ///< Not while poll() runs anyway: two stores and a barrier each poll.
};

/// What a board has unless it says otherwise; a board derives from this and states the rest.
///
/// `address_map` has no default: which memory the peer may name is the board's to say.
struct board_defaults {
    using doorbell = no_doorbell;
    using coherence = smp;
    using exclusion = no_exclusion;
    using wait = spin;
    using clock = no_clock;
    using lifecycle = no_lifecycle;
    using dialect = linux_kernel;
    using ring = ring_of<16>;

    /// Buckets of the table of endpoints, a power of two: lookup is O(1) while there are no more endpoints.
    static constexpr std::size_t address_slots = 4;
    /// Withdrawals that can wait for a free buffer when endpoints close; then close() says errc::full.
    static constexpr std::size_t withdrawals = 2;
    /// Whether observers may be opened; an image without any leaves their code out.
    static constexpr bool observers = true;
    /// Announcements kept for endpoints that open later (40 bytes each); 0: such an endpoint is bound by
    /// the peer's first message, or by its next announcement.
    static constexpr std::size_t remembered_announcements = 0;
    /// When the peer's doorbell is wanted.
    static constexpr auto inbound = policy::inbound::always;
    /// Ticks after which a waiter looks by itself where a doorbell may be missing; 0: at each turn.
    static constexpr std::uint32_t look_period = 0;
};

/// Everything that a platform decides, in one struct. See board_defaults.
template <typename T>
concept board = doorbell<typename T::doorbell> && coherence<typename T::coherence> &&
                address_map<typename T::address_map> && exclusion<typename T::exclusion> &&
                wait<typename T::wait> && clock<typename T::clock> && lifecycle<typename T::lifecycle> &&
                dialect<typename T::dialect> && ring_size<typename T::ring> && requires {
                    { T::address_slots } -> std::convertible_to<std::size_t>;
                    { T::withdrawals } -> std::convertible_to<std::size_t>;
                    { T::remembered_announcements } -> std::convertible_to<std::size_t>;
                    { T::observers } -> std::convertible_to<bool>;
                    { T::inbound } -> std::convertible_to<inbound>;
                    { T::look_period } -> std::convertible_to<std::uint32_t>;
                };

/// One object of each policy of a board that is called; those without state take no room. (A lock is made
/// in the bus: it does not move.)
///
/// A board whose policies have state hands them in by name:
/// `bus{table, {.doorbell = bell, .address_map = map}}`.
template <board Board>
struct set {
    [[no_unique_address]] typename Board::doorbell doorbell{};
    [[no_unique_address]] typename Board::coherence coherence{};
    [[no_unique_address]] typename Board::address_map address_map{};
    [[no_unique_address]] typename Board::wait wait{};
    [[no_unique_address]] typename Board::lifecycle lifecycle{};
};

}  // namespace rpmsg::policy
