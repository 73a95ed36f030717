#pragma once

#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/hearing.hpp>
#include <rpmsg/bus/link.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/message.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/announcement.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/wire/announcement.hpp>
#include <rpmsg/wire/header.hpp>

#include <cstddef>
#include <cstdint>

namespace rpmsg {

/// What a poll did.
struct poll_result {
    std::uint16_t handled = 0;  ///< Messages taken from the ring.
    bool more = false;          ///< The budget ran out before the messages did.
};

/// The part of a bus that takes messages from the ring, checks them and hands them to receivers.
///
/// @context The context that polls, but for give_back() and release(): any that may call the bus.
template <virtio::role Role, policy::board Board, typename Transport>
class receiving : protected hearing<Role, Board, Transport> {
    using base = hearing<Role, Board, Transport>;
    using this_bell = typename Board::doorbell;

public:
    /// Whether both sides have the name service. Meaningful while the link is up.
    [[nodiscard]] bool has_name_service() const noexcept
    {
        const scope lock{this->exclusion_};
        return this->names_are_on();
    }

protected:
    using base::base;
    using typename base::link_type;
    using typename base::scope;
    constexpr ~receiving() = default;

    /// Handles the messages that are there, and at most `budget`.
    [[gnu::always_inline]] inline poll_result drain(unsigned budget) noexcept
    {
        poll_result done;
        {
            const scope lock{this->exclusion_};
            if constexpr (Board::inbound == policy::inbound::quiet_while_draining)
                this->link_.rx().suppress_doorbells();
            if (this->link_.rx().look() != errc{}) [[unlikely]]
                this->give_up();  // the next poll takes the link down
        }
        for (;;) {
            for (; waiting_now() != 0 && budget != 0; --budget, ++done.handled) {
                deliver();
                if (this->was(base::reply_blocked | base::stopped)) [[unlikely]] {
                    done.handled =
                        static_cast<std::uint16_t>(done.handled + (this->was(base::reply_blocked) ? 0 : 1));
                    budget = 0;
                    break;
                }
            }
            if constexpr (!rearms)
                break;
            const scope lock{this->exclusion_};
            if (this->link_.rx().enable_doorbells() != errc{} || this->link_.rx().waiting() == 0 ||
                budget == 0)
                break;
        }
        done.more = waiting_now() != 0 && !this->was(base::reply_blocked);
        return done;
    }

    /// What rx_buffer needs: only where one is made is this code in the image.
    [[nodiscard]] keeper keeper_of_buffers() noexcept { return {this, hold, release}; }

private:
    static constexpr bool rearms = Board::inbound == policy::inbound::quiet_while_draining ||
                                   (Board::inbound == policy::inbound::always &&
                                    (Board::dialect::features & policy::feature::event_idx) != 0);

    [[nodiscard]] unsigned waiting_now() noexcept
    {
        const scope lock{this->exclusion_};
        return this->link_.rx().waiting();
    }

    /// Takes the next message; or leaves it in the ring, until there is a buffer to answer in.
    [[gnu::always_inline]] inline void deliver() noexcept
    {
        delivery d;
        endpoint_node* node = nullptr;
        auto why = errc{};
        {
            const scope lock{this->exclusion_};
            why = this->link_.peek_rx(d.in);
            if (why == errc{}) [[likely]] {
                d.refused = parse(d);
                d.held = false;
                if (d.refused == fault::none)
                    node = this->table_.find(address{d.to});
                if (node != nullptr && node->replies) {
                    if (this->take_tx(d.reply, 0, 0) != errc{})
                        return this->set(base::reply_blocked);
                    this->set(base::reply_in_hand);
                    this->kept_ = 0;
                }
                this->link_.take_rx(d.in);
                this->current_ = node;
            }
        }
        if (why != errc{}) [[unlikely]]
            return skip(why);
        if (node != nullptr)
            hand_to(*node, d);
        else if (d.refused == fault::none)
            d.refused = hear_message(d);
        if (!d.held)
            give_back(d);
        if (d.refused != fault::none) [[unlikely]]
            this->report(d.refused);
    }

    [[gnu::noinline]] void skip(errc why) noexcept
    {
        if (why == errc::malformed)
            return this->report(fault::bad_descriptor);
        const scope lock{this->exclusion_};
        this->give_up();  // the next poll takes the link down, this one stops
        this->set(base::reply_blocked);
    }

    /// A message for no endpoint: an announcement, or a fault.
    /// @spec Linux drivers/rpmsg/rpmsg_ns.c, rpmsg_ns_cb()
    [[gnu::noinline]] fault hear_message(const delivery& d) noexcept
    {
        if (d.to != wire::name_service_address || !has_name_service())
            return fault::unknown_destination;
        if (d.length != sizeof(wire::announcement))
            return fault::bad_announcement;
        const announcement news{d.in.data + sizeof(wire::header)};
        if (news.address().is_any())
            return fault::bad_announcement;
        this->hear(news);
        return fault::none;
    }

    /// Reads and checks a message's header, once.
    /// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_recv_single()
    fault parse(delivery& d) noexcept
    {
        auto* const data = d.in.data;
        if (data == nullptr || d.in.capacity < sizeof(wire::header))
            return fault::bad_buffer;
        this->barriers().invalidate(data, sizeof(wire::header));
        const auto from = wire::load<std::uint32_t>(data + offsetof(wire::header, src));
        const auto to = wire::load<std::uint32_t>(data + offsetof(wire::header, dst));
        const auto length = wire::load<std::uint16_t>(data + offsetof(wire::header, len));
        policy::forget_memory();  // each was read once
        d.from = from;
        d.to = to;
        d.length = length;
        if (length > d.in.capacity - sizeof(wire::header))
            return fault::bad_length;
        this->barriers().invalidate(data + sizeof(wire::header), length);
        return fault::none;
    }

    void hand_to(endpoint_node& node, delivery& d) noexcept
    {
        if (node.peer.value() == d.from || binds_to(node, d))
            node.tell(node, event_kind::message, event_word{d});
        const scope lock{this->exclusion_};
        if (this->is(base::close_due | base::reply_in_hand))
            put_away(d);
        this->current_ = nullptr;
    }

    /// A receiver returned that closed its endpoint, or might have answered.
    [[gnu::noinline]] void put_away(const delivery& d) noexcept
    {
        this->returned();
        if (!this->is(base::reply_in_hand))
            return;
        this->unset(base::reply_in_hand);
        this->keep_for_replies();
        if (d.reply.data != nullptr)  // there was no result, or it did not fit
            this->link_.park_tx(d.reply.id);
    }

    /// A message from somebody else than the endpoint's peer: perhaps that is its peer from now on.
    ///
    /// @return Whether the endpoint is still there for the message.
    [[gnu::noinline]] bool binds_to(endpoint_node& node, const delivery& d) noexcept
    {
        if (d.from == wire::any_address || !(node.peer.is_any() || node.follows_sender))
            return true;
        this->bind(node, address{d.from});
        const scope lock{this->exclusion_};
        return this->current_ == &node && !node.closing;
    }

    /// Gives a received buffer back to the peer.
    RPMSG_HOT_PATH void give_back(const delivery& d) noexcept { give_back(d.in.id, d.in.capacity); }
    void give_back(std::uint16_t id, std::uint32_t capacity) noexcept
    {
        bool now = false;
        {
            const scope lock{this->exclusion_};
            // With every buffer of the peer's here, a sender of its may be asleep: the first one wakes it. A
            // cheap doorbell is rung soon enough at the end.
            if constexpr (!this_bell::always_ring && !this_bell::never_ring)
                now = this->link_.peer_has_none();
            this->link_.give_rx(id, capacity);
            if constexpr (!this_bell::always_ring && !this_bell::never_ring) {
                now = now && this->link_.rx().peer_wants_doorbell();
                if (now)  // that tells of all there is
                    this->unset(base::rx_news);
            }
            if (!this_bell::never_ring && !now)
                this->set(base::rx_news);
        }
        if (now)
            this->ring(link_type::rx_ring);
    }

    static std::uint32_t hold(void* owner) noexcept
    {
        auto& self = *static_cast<receiving*>(owner);
        self.hold_handle(self.epoch_);
        return self.epoch_;
    }
    static void release(void* owner, std::uint32_t epoch, std::uint16_t id, std::uint32_t capacity) noexcept
    {
        auto& self = *static_cast<receiving*>(owner);
        self.drop_handle(epoch);
        {
            const scope lock{self.exclusion_};
            if (epoch != self.epoch_)
                return;
        }
        self.give_back(id, capacity);
        self.ring_put_off();
    }
};

}  // namespace rpmsg
