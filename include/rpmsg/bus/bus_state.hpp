#pragma once

#include <rpmsg/bus/device_link.hpp>
#include <rpmsg/bus/driver_link.hpp>
#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/endpoint_table.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/config.hpp>
#include <rpmsg/name_service/remembered.hpp>
#include <rpmsg/name_service/withdrawals.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/virtio/status.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace rpmsg {

/// The state of a bus, and what all its parts need: whom to tell, and when to ring.
///
/// The parts stand on each other: bus_state, sending, announcing, hearing, receiving, negotiating, opening, bus. One
/// context at a time polls, and only it tells; what other contexts read or write is behind the exclusion.
template <virtio::role Role, policy::board Board, typename Transport>
class bus_state {
protected:
    using link_type = std::conditional_t<Role == virtio::role::driver, driver_link<Board, Transport>,
                                         device_link<Board, Transport>>;
    using bell = typename Board::doorbell;
    using exclusion = typename Board::exclusion;
    using scope = policy::scope<exclusion>;

    template <typename... Arguments>
    explicit constexpr bus_state(Arguments&&... arguments) noexcept
        : link_{std::forward<Arguments>(arguments)...}
    {}
    constexpr ~bus_state() = default;

public:
    bus_state(const bus_state&) = delete;
    bus_state& operator=(const bus_state&) = delete;

protected:
    /// What is to be done later, and what we wait for.
    enum due : std::uint8_t {
        announce_due = 1U << 0U,   ///< Endpoints from announced_next_ on may have to be announced.
        withdraw_due = 1U << 1U,   ///< Endpoints were closed that the peer knows.
        greet_due = 1U << 2U,      ///< An endpoint owes its peer an empty message.
        replay_due = 1U << 3U,     ///< An endpoint opened: what was heard before may be for it.
        stopped = 1U << 4U,        ///< Nothing until start().
        listening = 1U << 5U,      ///< The peer was asked to ring for returned buffers.
        tx_wanted = 1U << 6U,      ///< Somebody found no buffer.
        reply_blocked = 1U << 7U,  ///< The next message waits for a buffer to answer in.
        flush_due = announce_due | withdraw_due | greet_due,
    };
    /// What the peer is to hear of, when the poll or batch under way ends.
    enum unrung : std::uint8_t {
        tx_news = 1,  ///< What was published.
        rx_news = 2,  ///< What was given back.
    };
    [[nodiscard]] bool is_due(unsigned bits) const noexcept { return (due_ & bits) != 0; }
    /// The same, when the exclusion is not held.
    [[nodiscard]] bool was_due(unsigned bits) const noexcept
    {
        const scope lock{exclusion_};
        return is_due(bits);
    }
    void set_due(unsigned bits) noexcept { due_ = static_cast<std::uint8_t>(due_ | bits); }
    void not_due(unsigned bits) noexcept { due_ = static_cast<std::uint8_t>(due_ & ~bits); }

    [[nodiscard]] typename Board::coherence& barriers() noexcept { return link_.policies.coherence; }
    /// Whether this context is the one that polls: then we are inside a receiver. The exclusion is held.
    [[nodiscard]] bool inside_poll() noexcept { return polling_ && poller_ == exclusion_.context(); }

    // Telling

    /// Tells each node of a list that the event concerns. One walk at a time; it survives what the nodes
    /// open and close meanwhile.
    void tell(const node_list& list, event_kind what, event_word with = {}) noexcept
    {
        auto before = exclusion_.enter();
        told_next_ = list.first();
        while (auto* const node = told_next_) {
            told_next_ = node->next_opened;
            const bool is_observer = &list == &observers_;
            const auto was = node->peer;
            if (!is_observer && !concerns(*node, what, with))
                continue;
            current_ = node;
            exclusion_.leave(before);
            if (is_observer)
                node->tell(*node, what, with);
            else
                node->tell(*node, what == event_kind::bound ? what : event_kind::unbound, event_word{was});
            before = exclusion_.enter();
            returned(*node);
        }
        exclusion_.leave(before);
    }
    void tell_observers(event_kind what, event_word with = {}) noexcept
    {
        if constexpr (Board::observers)
            tell(observers_, what, with);
    }

    void set_state(link_state state) noexcept
    {
        {
            const scope lock{exclusion_};
            state_ = state;
        }
        tell_observers(event_kind::link, event_word{state});
    }

    /// Counts what the peer did wrong, and tells.
    [[gnu::noinline]] void report(fault cause) noexcept
    {
        {
            const scope lock{exclusion_};
            link_.counts.count(cause);
        }
        tell_observers(event_kind::error, event_word{cause});
    }

    /// A node's function returned; what it wanted done afterwards is done now. The exclusion is held.
    void returned(endpoint_node& node) noexcept
    {
        if (current_ != &node)  // destroyed meanwhile: not ours to touch
            return;
        current_ = nullptr;
        if (node.closing)
            close_later_(*this, node);
    }

    /// Waits until no other context runs the node's function. The exclusion is held on entry and return.
    errc settle(const endpoint_node& node, typename exclusion::state& before) noexcept
    {
        while (node.open && current_ == &node && poller_ != exclusion_.context()) {
            if constexpr (!exclusion::others_progress)
                return errc::busy;  // we interrupted it
            exclusion_.leave(before);
            exclusion_.relax();
            before = exclusion_.enter();
        }
        return node.open ? errc{} : errc::closed;
    }

    /// No walk is to come by this node any more. The exclusion is held.
    void forget(const endpoint_node& node) noexcept
    {
        if (told_next_ == &node)
            told_next_ = node.next_opened;
        if (announced_next_ == &node)
            announced_next_ = node.next_opened;
        if (current_ == &node)
            current_ = nullptr;
    }

    // Doorbells

    void ring(policy::vring_id which) noexcept
    {
        if constexpr (bell::never_ring)
            return;
        else if constexpr (bell::carries_queue_id)
            link_.policies.doorbell.ring(which, link_.notify_id(which));
        else
            link_.policies.doorbell.ring(which);
    }

    /// Whether a batch puts doorbells off.
    enum class batching : std::uint8_t { counts, ends };

    /// Rings for news: once for each ring, or once for both if the doorbell says not which. While a poll or
    /// a batch is under way it is put off to its end.
    RPMSG_HOT_PATH void ring_put_off(batching batch = batching::counts) noexcept
    {
        if constexpr (!bell::never_ring) {
            unsigned due_now = 0;
            {
                const scope lock{exclusion_};
                const bool batched = batches_ != 0 && batch == batching::counts;
                if (news_ == 0 || batched || inside_poll())
                    return;
                due_now = std::exchange(news_, std::uint8_t{0});
                if constexpr (!bell::always_ring) {
                    if ((due_now & tx_news) != 0 && !link_.tx().peer_wants_doorbell())
                        due_now &= ~unsigned{tx_news};
                    if ((due_now & rx_news) != 0 && !link_.rx().peer_wants_doorbell())
                        due_now &= ~unsigned{rx_news};
                    if (due_now == 0)
                        return;
                }
            }
            if constexpr (bell::carries_queue_id) {
                if ((due_now & tx_news) != 0)
                    ring(link_type::tx_ring);
                if ((due_now & rx_news) != 0)
                    ring(link_type::rx_ring);
            } else {
                ring((due_now & tx_news) != 0 ? link_type::tx_ring : link_type::rx_ring);
            }
        }
    }

    /// Where a doorbell may be missing, a sleep ends at the board's period.
    template <typename Deadline>
    [[nodiscard]] static Deadline looks_again(Deadline until) noexcept
    {
        if constexpr (bell::can_be_lost || !Board::dialect::rings_returned_buffers)
            return Board::look_period != 0 ? until.no_later_than(Board::look_period) : Deadline{};
        else
            return until;
    }

    // The smallest and most used come first, where the shortest instructions reach.
    link_state state_ = link_state::down;
    bool polling_ = false;
    bool flushing_ = false;
    std::uint8_t batches_ = 0;
    std::uint8_t due_ = 0;              // bits of `due`
    std::uint8_t news_ = 0;             // bits of `unrung`
    std::uint16_t repliers_ = 0;        // open endpoints whose receivers have a result
    endpoint_node* current_ = nullptr;  // whose function runs now
    std::uint32_t epoch_ = 0;
    endpoint_node* announced_next_ = nullptr;  // all before it are announced, or have no name
    endpoint_node* told_next_ = nullptr;       // where tell() goes on
    node_list opened_;
    link_type link_;
    endpoint_table<Board::address_slots, Board::dialect::first_dynamic_address> table_;
    node_list observers_;
    std::uintptr_t poller_ = 0;  // the context that polls
    // What close() and stop() leave to be done: set by them, so that an image without them has no such code.
    void (*close_later_)(bus_state&, endpoint_node&) noexcept = nullptr;
    void (*withdraw_later_)(bus_state&, typename exclusion::state&) noexcept = nullptr;
    void (*stop_later_)(bus_state&) noexcept = nullptr;
    [[no_unique_address]] withdrawals<Board::withdrawals> gone_;
    [[no_unique_address]] remembered<Board::remembered_announcements> heard_;
    [[no_unique_address]] mutable exclusion exclusion_;

private:
    /// Whether an endpoint is to be told; its own state changes first. The exclusion is held.
    static bool concerns(endpoint_node& node, event_kind what, event_word with) noexcept
    {
        if (what == event_kind::bound)  // the link came up
            return node.fixed_peer;
        bool was_bound = !node.peer.is_any();
        if (what == event_kind::withdrawn) {
            const auto& news = with.news();
            was_bound = node.peer == news.address() && (node.service.empty() || node.service.is(news.text()));
            if (was_bound)
                node.fixed_peer = false;
        } else {  // the link is gone
            node.announced = node.greets = false;
        }
        if (was_bound && !node.fixed_peer)
            node.peer = any_address;
        return was_bound;
    }
};

}  // namespace rpmsg
