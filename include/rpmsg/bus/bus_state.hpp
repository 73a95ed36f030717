#pragma once

#include <rpmsg/bus/device_link.hpp>
#include <rpmsg/bus/driver_link.hpp>
#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/endpoint_table.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/config.hpp>
#include <rpmsg/name_service/announcement.hpp>
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
    static constexpr bool is_concurrent = policy::is_concurrent<exclusion>;

    template <typename... Arguments>
    explicit constexpr bus_state(Arguments&&... arguments) noexcept
        : link_{std::forward<Arguments>(arguments)...}
    {}
    constexpr ~bus_state() = default;

public:
    bus_state(const bus_state&) = delete;
    bus_state& operator=(const bus_state&) = delete;

protected:
    /// How things stand. While it is no more than `settled`, all that a poll has to do is to receive.
    enum flag : std::uint32_t {
        settled = 1U << 0U,        ///< The link is up, and nobody found it broken.
        announce_due = 1U << 1U,   ///< Endpoints from announced_next_ on may have to be announced.
        withdraw_due = 1U << 2U,   ///< Endpoints were closed that the peer knows.
        greet_due = 1U << 3U,      ///< An endpoint owes its peer an empty message.
        replay_due = 1U << 4U,     ///< An endpoint opened: what was heard before may be for it.
        reply_blocked = 1U << 5U,  ///< The next message waits for a buffer to answer in.
        listening = 1U << 6U,      ///< The peer was asked to ring for returned buffers.
        tx_wanted = 1U << 7U,      ///< Somebody found no buffer.
        tx_news = 1U << 8U,        ///< The peer is to hear of what was published, when what puts it off ends.
        rx_news = 1U << 9U,        ///< The same of what was given back.
        of_this_link = (1U << 10U) - 1,
        reply_in_hand = 1U << 10U,  ///< The buffer that is kept for replies is with a receiver.
        close_due = 1U << 11U,      ///< close_later_ is to be called when the function that runs returns.
        stopped = 1U << 12U,        ///< Nothing until start().
        polling = 1U << 15U,        ///< A poll is under way. All bits from here on put doorbells off.
        one_batch = 1U << 16U,      ///< From here on: how many batches are under way.
        flush_due = announce_due | withdraw_due | greet_due,
        any_news = tx_news | rx_news,
    };
    [[nodiscard]] bool is(unsigned bits) const noexcept { return (flags_ & bits) != 0; }
    /// The same, when the exclusion is not held.
    [[nodiscard]] bool was(unsigned bits) const noexcept
    {
        const scope lock{exclusion_};
        return is(bits);
    }
    void set(unsigned bits) noexcept { flags_ |= bits; }
    void unset(unsigned bits) noexcept { flags_ &= ~bits; }

    [[nodiscard]] typename Board::coherence& barriers() noexcept { return link_.policies.coherence; }
    /// Whether this context is the one that polls: then we are inside a receiver. The exclusion is held.
    [[nodiscard]] bool inside_poll() noexcept
    {
        if constexpr (is_concurrent)
            if (poller_ != exclusion_.context())
                return false;
        return is(polling);
    }
    /// An endpoint whose receiver has a result is open, or no more. The exclusion is held.
    void count_replier(int more) noexcept
    {
        repliers_ = static_cast<std::uint16_t>(repliers_ + more);
        keep_for_replies();
    }
    /// Has a buffer kept for replies, if there are any: none in a ring of one, where nothing else could be sent.
    void keep_for_replies() noexcept { kept_ = repliers_ != 0 && Board::ring::capacity != 1 ? 1 : 0; }
    /// The peer broke the rings: the next poll takes the link down. The exclusion is held.
    [[gnu::noinline]] void give_up() noexcept
    {
        if (!is(settled))
            return;
        unset(settled);
        link_.give_up();
    }

    // Telling

    /// Tells each node of a list that wants to know. One walk at a time; it survives what the nodes open and
    /// close meanwhile.
    ///
    /// @param wants  (node, what comes with the event): changes the node's own state first. The exclusion is
    ///               held.
    template <typename Wants>
    void tell_each(const node_list& list, event_kind what, event_word with, Wants wants) noexcept
    {
        auto before = exclusion_.enter();
        told_next_ = list.first();
        while (auto* const node = told_next_) {
            told_next_ = node->next_opened;
            if (!wants(*node, with))
                continue;
            current_ = node;
            exclusion_.leave(before);
            node->tell(*node, what, with);
            before = exclusion_.enter();
            returned();
        }
        exclusion_.leave(before);
    }
    /// The link came up: endpoints that were opened towards an address are bound.
    void tell_bound() noexcept
    {
        tell_each(opened_, event_kind::bound, {}, [](endpoint_node& node, event_word& peer) noexcept {
            peer = event_word{node.peer};
            return node.fixed_peer;
        });
    }
    /// The peer withdrew a channel, or (nullptr) the link is gone: endpoints bound to it are unbound.
    void tell_unbound(const announcement* withdrawn) noexcept
    {
        tell_each(opened_, event_kind::unbound, {},
                  [withdrawn](endpoint_node& node, event_word& peer) noexcept {
                      peer = event_word{node.peer};
                      return unbinds(node, withdrawn);
                  });
    }
    void tell_observers(event_kind what, event_word with = {}) noexcept
    {
        if constexpr (Board::observers)
            tell_each(observers_, what, with, [](endpoint_node&, event_word&) noexcept { return true; });
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
    void returned() noexcept
    {
        if (is(close_due)) [[unlikely]] {
            unset(close_due);
            close_later_(*this);
        }
        current_ = nullptr;
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

    /// Whether doorbells wait for the end of a poll or batch under way. The exclusion is held.
    [[nodiscard]] bool puts_off(batching batch = batching::counts) noexcept
    {
        if constexpr (is_concurrent)
            return (flags_ >= one_batch && batch == batching::counts) || inside_poll();
        else
            return batch == batching::counts ? flags_ >= polling : is(polling);
    }
    /// The same; then the news is rung then. The exclusion is held.
    [[nodiscard]] bool puts_off(flag what) noexcept
    {
        if constexpr (bell::never_ring)
            return true;
        const bool later = puts_off();
        if (later)
            set(what);
        return later;
    }

    /// Rings for news, if the peer wants to know: once for each ring, or once for both if the doorbell says not
    /// which.
    RPMSG_HOT_PATH void ring_for(std::uint32_t what) noexcept
    {
        if constexpr (!bell::never_ring) {
            if constexpr (!bell::always_ring) {
                const scope lock{exclusion_};
                if ((what & tx_news) != 0 && !link_.tx().peer_wants_doorbell())
                    what &= ~tx_news;
                if ((what & rx_news) != 0 && !link_.rx().peer_wants_doorbell())
                    what &= ~rx_news;
            }
            if constexpr (bell::carries_queue_id) {
                if ((what & tx_news) != 0)
                    ring(link_type::tx_ring);
                if ((what & rx_news) != 0)
                    ring(link_type::rx_ring);
            } else if (bell::always_ring || what != 0) {
                ring((what & tx_news) != 0 ? link_type::tx_ring : link_type::rx_ring);
            }
        }
    }

    /// Rings for what was put off, if nothing puts it off any more.
    RPMSG_HOT_PATH void ring_put_off(batching batch = batching::counts) noexcept
    {
        if constexpr (!bell::never_ring) {
            std::uint32_t what = 0;
            {
                const scope lock{exclusion_};
                what = flags_ & any_news;
                if (what == 0 || puts_off(batch))
                    return;
                unset(any_news);
            }
            ring_for(what);
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

    /// What a board does not have.
    template <int>
    struct nothing {};

    // The smallest and most used come first, where the shortest instructions reach.
    std::uint32_t flags_ = 0;     // of `flag`
    std::uint16_t repliers_ = 0;  // open endpoints whose receivers have a result
    std::uint8_t kept_ = 0;  // buffers that ordinary sends leave for replies; none while a receiver has it
    link_state state_ = link_state::down;
    [[no_unique_address]] std::conditional_t<is_concurrent, bool, nothing<2>> flushing_{};  // by one of them
    std::uint32_t room_ = 0;  // bytes of the shortest payload that is too long: 0 while the link is down
    endpoint_node* current_ = nullptr;  // whose function runs now
    std::uint32_t epoch_ = 0;
    endpoint_node* announced_next_ = nullptr;  // all before it are announced, or have no name
    endpoint_node* told_next_ = nullptr;       // where tell_each() goes on
    node_list opened_;
    link_type link_;
    endpoint_table<Board::address_slots, Board::dialect::first_dynamic_address> table_;
    [[no_unique_address]] std::conditional_t<Board::observers, node_list, nothing<0>> observers_{};
    // The context that polls, where there is another.
    [[no_unique_address]] std::conditional_t<is_concurrent, std::uintptr_t, nothing<1>> poller_{};
    // What close() and stop() leave to be done: set by them, so that an image without them has no such code.
    void (*close_later_)(bus_state&) noexcept = nullptr;
    void (*withdraw_later_)(bus_state&, typename exclusion::state&) noexcept = nullptr;
    void (*stop_later_)(bus_state&) noexcept = nullptr;
    [[no_unique_address]] withdrawals<Board::withdrawals> gone_;
    [[no_unique_address]] remembered<Board::remembered_announcements> heard_;
    [[no_unique_address]] mutable exclusion exclusion_;

private:
    /// Whether a withdrawal, or (nullptr) the end of the link unbinds an endpoint: then it is. The exclusion is held.
    static bool unbinds(endpoint_node& node, const announcement* withdrawn) noexcept
    {
        if (withdrawn == nullptr)
            node.announced = node.greets = false;
        else if (node.peer == withdrawn->address() &&
                 (node.service.empty() || node.service.is(withdrawn->text())))
            node.fixed_peer = false;
        else
            return false;
        if (node.peer.is_any())
            return false;
        if (!node.fixed_peer)
            node.peer = any_address;
        return true;
    }
};

}  // namespace rpmsg
