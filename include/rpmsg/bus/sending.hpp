#pragma once

#include <rpmsg/bus/bus_state.hpp>
#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/link.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/message.hpp>
#include <rpmsg/config.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/wire/header.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace rpmsg {

/// The part of a bus that takes transmit buffers and publishes messages in them.
template <virtio::role Role, policy::board Board, typename Transport>
class sending : protected bus_state<Role, Board, Transport> {
    using base = bus_state<Role, Board, Transport>;

public:
    using deadline = policy::deadline<typename Board::clock>;

protected:
    using base::base;
    using typename base::scope;
    constexpr ~sending() = default;

    /// Buffers that ordinary sends leave for replies: none in a ring of one, where nothing else could be sent.
    [[nodiscard]] unsigned keep() const noexcept
    {
        return Board::ring::capacity != 1 && this->repliers_ != 0 ? 1U : 0U;
    }

    /// Whether more than `kept` buffers are free; if not, the peer is asked to ring when one comes back.
    /// The exclusion is held.
    [[gnu::noinline]] bool has_tx_or_listens(unsigned kept) noexcept
    {
        if (this->link_.has_tx(kept))
            return true;
        if (!asks_each_time && this->is_due(base::listening))
            return false;
        this->set_due(base::listening);
        static_cast<void>(this->link_.tx().enable_doorbells());
        return this->link_.has_tx(kept);
    }

    /// A tx buffer, if more than `kept` are free, or errc::full. The exclusion is held.
    RPMSG_HOT_PATH errc take_tx(room& out, unsigned kept) noexcept
    {
        if (kept != 0 && !has_tx_or_listens(kept))
            return errc::full;
        const auto why = this->link_.take_tx(out);
        if (why == errc::full && has_tx_or_listens(0)) [[unlikely]]
            return this->link_.take_tx(out);
        return why;
    }

    /// Bytes of the longest payload that fits a tx buffer; 0 while the link is not up. The exclusion is held.
    [[nodiscard]] std::uint32_t longest() const noexcept
    {
        return this->state_ == link_state::up ? this->link_.longest() : 0;
    }

    /// Whether a buffer is of use to an endpoint that has no peer.
    enum class addressee : std::uint8_t { known, perhaps_later };

    /// A buffer for a message of `length` bytes. Where `from` or `to` is any, the endpoint's own is meant.
    RPMSG_HOT_PATH errc try_grant(grant& out, const endpoint_node& node, address from, address to,
                                  std::size_t length, addressee peer) noexcept
    {
        const scope lock{this->exclusion_};
        if (!node.open)
            return errc::closed;
        if (this->state_ != link_state::up)
            return errc::link_down;
        out.from = from.is_any() ? node.local : from;
        out.to = to.is_any() ? node.peer : to;
        if (out.to.is_any() && peer == addressee::known)
            return errc::not_bound;
        if (length > this->link_.longest())
            return errc::too_long;
        out.epoch = this->epoch_;
        const auto why = take_tx(out, keep());
        if (Board::observers && why == errc::full)
            this->set_due(base::tx_wanted);
        return why;
    }

    /// The same; waits for a buffer without dispatching. Inside a receiver it does not wait.
    errc grant_until(grant& out, const endpoint_node& node, address from, address to, std::size_t length,
                     addressee peer, deadline until) noexcept
    {
        for (;;) {
            const auto why = try_grant(out, node, from, to, length, peer);
            if (why != errc::full || is_receiving())
                return why;
            if (until.passed())
                return errc::timed_out;
            this->ring_put_off(base::batching::ends);  // the peer cannot return what it was not told of
            this->link_.policies.wait.sleep(
                [this]() noexcept {
                    const scope lock{this->exclusion_};
                    return this->state_ != link_state::up || this->link_.has_tx(keep()) ||
                           !this->link_.intact();
                },
                this->looks_again(until));
            const scope lock{this->exclusion_};
            if (this->state_ == link_state::up && !this->link_.intact())
                return errc::link_down;
        }
    }

    /// Publishes a filled buffer. @pre length fits it, and its addresses are known.
    ///
    /// @param held  Whether its owner held it while anything else could happen.
    /// @return errc::stale when its epoch is over.
    RPMSG_HOT_PATH errc publish(const grant& filled, std::uint32_t length,
                                bool held = policy::is_concurrent<typename Board::exclusion>) noexcept
    {
        const auto bytes = length + std::uint32_t{sizeof(wire::header)};
        auto* const header = filled.data;
        wire::store(header + offsetof(wire::header, src), filled.from.value());
        wire::store(header + offsetof(wire::header, dst), filled.to.value());
        wire::store(header + offsetof(wire::header, reserved), std::uint32_t{0});
        wire::store(header + offsetof(wire::header, len), length);  // and flags: 0
        this->barriers().clean(header, bytes);
        {
            const scope lock{this->exclusion_};
            if (held && !is_now(filled.epoch))
                return errc::stale;
            this->link_.publish_tx(filled.id, bytes);
            this->news_ |= base::tx_news;
        }
        this->ring_put_off();
        return errc{};
    }

    /// Copies a payload into a buffer and publishes it; a buffer that will not do is kept for another.
    RPMSG_HOT_PATH errc send_in(const grant& taken, std::span<const std::byte> payload) noexcept
    {
        auto why = errc::not_bound;
        if (!taken.to.is_any()) {
            why = errc::too_long;
            if (this->link_.uniform_tx || payload.size() <= taken.capacity - sizeof(wire::header)) {
                // It may be one that was received, and a driver may make the two buffers overlap.
                if (!payload.empty())
                    std::memmove(taken.data + sizeof(wire::header), payload.data(), payload.size());
                return publish(taken, static_cast<std::uint32_t>(payload.size()));
            }
        }
        park(taken);
        return why;
    }

    /// Keeps a buffer that was not sent for the next send.
    void park(const grant& taken) noexcept
    {
        const scope lock{this->exclusion_};
        if (is_now(taken.epoch))
            this->link_.park_tx(taken.id);
    }

    /// Whether a buffer taken in an epoch is still ours to write.
    [[nodiscard]] bool is_current(std::uint32_t epoch) noexcept
    {
        const scope lock{this->exclusion_};
        return is_now(epoch);
    }

    /// A handle of an epoch is made, and what it points to has to stay mapped; or it is gone.
    void hold_handle(std::uint32_t epoch) noexcept
    {
        if constexpr (policy::holding_address_map<typename Board::address_map>)
            this->link_.policies.address_map.hold(epoch);
    }
    void drop_handle(std::uint32_t epoch) noexcept
    {
        if constexpr (policy::holding_address_map<typename Board::address_map>)
            this->link_.policies.address_map.drop(epoch);
    }

    RPMSG_HOT_PATH result<void> try_send(const endpoint_node& node, address from, address to,
                                         std::span<const std::byte> payload) noexcept
    {
        grant taken;
        const auto why = try_grant(taken, node, from, to, payload.size(), addressee::known);
        return sent(why == errc{} ? send_in(taken, payload) : why);
    }
    result<void> send(const endpoint_node& node, address from, address to, std::span<const std::byte> payload,
                      deadline until) noexcept
    {
        grant taken;
        const auto why = grant_until(taken, node, from, to, payload.size(), addressee::known, until);
        return sent(why == errc{} ? send_in(taken, payload) : why);
    }

    /// A receiver's result goes to the sender of what it received, in the buffer that was left for it.
    void answer(delivery& d, std::span<const std::byte> payload) noexcept
    {
        d.refused = fault::reply_dropped;
        grant out{};
        out.from = address{d.to};
        out.to = address{d.from};
        {
            const scope lock{this->exclusion_};
            out.epoch = this->epoch_;
            if (payload.size() > this->link_.longest() || take_tx(out, 0) != errc{})
                return;
        }
        if (send_in(out, payload) == errc{})
            d.refused = fault::none;
    }

    /// Tells those who found no buffer that there is one, and asks for no more doorbells than that.
    [[gnu::noinline]] void offer_tx() noexcept
    {
        bool ready = false;
        {
            const scope lock{this->exclusion_};
            if constexpr (Board::observers) {
                ready = this->is_due(base::tx_wanted) && this->link_.has_tx(keep());
                if (ready)
                    this->not_due(base::tx_wanted);
            }
            if (!this->is_due(base::tx_wanted | base::reply_blocked | base::flush_due)) {
                this->not_due(base::listening);
                this->link_.tx().suppress_doorbells();
            }
        }
        if (ready)
            this->tell_observers(event_kind::tx_ready);
    }

private:
    // An event index is used up by the first doorbell; a flag stays.
    static constexpr bool asks_each_time = (Board::dialect::features & policy::feature::event_idx) != 0;

    static result<void> sent(errc why) noexcept { return why == errc{} ? result<void>{} : why; }

    /// Whether an epoch lasts. The exclusion is held.
    [[nodiscard]] bool is_now(std::uint32_t epoch) const noexcept
    {
        return epoch == this->epoch_ && this->state_ == link_state::up;
    }

    [[nodiscard]] bool is_receiving() noexcept
    {
        const scope lock{this->exclusion_};
        return this->inside_poll();
    }
};

}  // namespace rpmsg
