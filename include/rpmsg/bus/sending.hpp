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

    /// Whether more than `kept` buffers are free, after a fresh look if need be.
    ///
    /// @return errc::full; errc::protocol: the link was given up. The exclusion is held.
    RPMSG_HOT_PATH errc look_for_tx(unsigned kept) noexcept
    {
        if (this->link_.has_tx(kept))
            return errc{};
        if (this->link_.tx().look() != errc{}) [[unlikely]] {
            this->give_up();
            return errc::protocol;
        }
        return this->link_.has_tx(kept) ? errc{} : errc::full;
    }
    /// A buffer for `length` bytes of payload, if more than `kept` are free; or why there is none. The exclusion is
    /// held.
    RPMSG_HOT_PATH errc take_tx(room& out, unsigned kept, std::size_t length) noexcept
    {
        auto why = this->link_.take_tx(out, kept, length);
        if (why == errc::full) [[unlikely]] {
            why = look_or_listen(kept);
            if (why == errc{})
                why = this->link_.take_tx(out, kept, length);
        }
        if (why == errc::protocol || why == errc::out_of_map) [[unlikely]]
            this->give_up();
        return why;
    }

    /// Bytes of the longest payload that fits a tx buffer; 0 while the link is not up. The exclusion is held.
    [[nodiscard]] std::uint32_t longest() const noexcept { return this->room_ != 0 ? this->room_ - 1 : 0; }

    /// Whether a buffer is of use to an endpoint that has no peer.
    enum class addressee : std::uint8_t { known, perhaps_later };

    /// A buffer for a message of `length` bytes. Where `from` or `to` is any, the endpoint's own is meant.
    RPMSG_HOT_PATH errc try_grant(grant& out, const endpoint_node& node, address from, address to,
                                  std::size_t length, addressee peer) noexcept
    {
        const scope lock{this->exclusion_};
        out.from = from.is_any() ? node.local : from;
        out.to = to.is_any() ? node.peer : to;
        out.epoch = this->epoch_;
        // While the link is down there is room for nothing.
        if (!node.open || length >= this->room_ || (peer == addressee::known && out.to.is_any())) [[unlikely]]
            return refusal_to_send(node, length, out.to);
        const auto why = take_tx(out, this->kept_, length);
        if (Board::observers && why == errc::full)
            this->set(base::tx_wanted);
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
                    return !link_holds() || look_for_tx(this->kept_) != errc::full;
                },
                this->looks_again(until));
            const scope lock{this->exclusion_};
            if (!link_holds())
                return errc::link_down;
        }
    }

    /// Publishes a filled buffer. @pre length fits it, and its addresses are known.
    ///
    /// @return errc::stale when its epoch is over: another context may have seen to that since it was looked at.
    RPMSG_HOT_PATH errc publish(const grant& filled, std::uint32_t length) noexcept
    {
        write_header(filled, length);
        return hand_over(filled, length);
    }
    /// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, struct rpmsg_hdr
    RPMSG_HOT_PATH static void write_header(const grant& filled, std::uint32_t length) noexcept
    {
        auto* const header = filled.data;
        wire::store(header + offsetof(wire::header, src), filled.from.value());
        wire::store(header + offsetof(wire::header, dst), filled.to.value());
        wire::store(header + offsetof(wire::header, reserved), std::uint32_t{0});
        wire::store(header + offsetof(wire::header, len), length);  // and flags: 0
    }
    RPMSG_HOT_PATH errc hand_over(const grant& filled, std::uint32_t length) noexcept
    {
        const auto bytes = length + std::uint32_t{sizeof(wire::header)};
        this->barriers().clean(filled.data, bytes);
        bool later = false;
        {
            const scope lock{this->exclusion_};
            if (base::is_concurrent && filled.epoch != this->epoch_)
                return errc::stale;
            this->link_.publish_tx(filled.id, bytes);
            later = this->puts_off(base::tx_news);
        }
        if (!later)
            this->ring_for(base::tx_news);
        return errc{};
    }

    /// Copies a payload into a buffer that was taken for it, and publishes it.
    RPMSG_HOT_PATH errc send_in(const grant& taken, std::span<const std::byte> payload) noexcept
    {
        // It may be one that was received, and a driver may make the two buffers overlap.
        const auto length = static_cast<std::uint32_t>(payload.size());
        write_header(taken, length);
        if (length != 0)
            std::memmove(taken.data + sizeof(wire::header), payload.data(), length);
        return hand_over(taken, length);
    }

    /// Keeps a buffer that was not sent for the next send.
    void park(const grant& taken) noexcept
    {
        const scope lock{this->exclusion_};
        if (taken.epoch == this->epoch_)
            this->link_.park_tx(taken.id);
    }

    /// Whether a buffer taken in an epoch is still ours to write.
    [[nodiscard]] bool is_current(std::uint32_t epoch) noexcept
    {
        const scope lock{this->exclusion_};
        return epoch == this->epoch_;
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
        grant taken{};
        const auto why = try_grant(taken, node, from, to, payload.size(), addressee::known);
        return sent(why == errc{} ? send_in(taken, payload) : why);
    }
    result<void> send(const endpoint_node& node, address from, address to, std::span<const std::byte> payload,
                      deadline until) noexcept
    {
        grant taken{};
        const auto why = grant_until(taken, node, from, to, payload.size(), addressee::known, until);
        return sent(why == errc{} ? send_in(taken, payload) : why);
    }

    /// A receiver's result goes to the sender of what it received, in the buffer that was taken for it.
    RPMSG_HOT_PATH void answer(delivery& d, std::span<const std::byte> payload) noexcept
    {
        d.refused = fault::reply_dropped;
        if (payload.size() > d.reply.capacity - sizeof(wire::header) || d.from == wire::any_address)
            return;
        // The link lasts as long as the poll that we are in.
        static_cast<void>(send_in({d.reply, address{d.to}, address{d.from}, this->epoch_}, payload));
        d.reply.data = nullptr;
        d.refused = fault::none;
    }

    /// Tells those who found no buffer that there is one, and asks for no more doorbells than that.
    [[gnu::noinline]] void offer_tx() noexcept
    {
        bool ready = false;
        {
            const scope lock{this->exclusion_};
            if constexpr (Board::observers) {
                ready = this->is(base::tx_wanted) && look_for_tx(this->kept_) == errc{};
                if (ready)
                    this->unset(base::tx_wanted);
            }
            if (!this->is(base::tx_wanted | base::reply_blocked | base::flush_due)) {
                this->unset(base::listening);
                this->link_.tx().suppress_doorbells();
            }
        }
        if (ready)
            this->tell_observers(event_kind::tx_ready);
    }

private:
    static result<void> sent(errc why) noexcept { return why == errc{} ? result<void>{} : why; }

    /// The same as look_for_tx(); if there is none, the peer is asked to ring when one comes back, and as that may have
    /// happened meanwhile, we look again.
    [[gnu::noinline]] errc look_or_listen(unsigned kept) noexcept
    {
        const auto why = look_for_tx(kept);
        if (why != errc::full)
            return why;
        this->set(base::listening);
        static_cast<void>(this->link_.tx().enable_doorbells());
        return look_for_tx(kept);
    }

    /// What keeps an endpoint from sending.
    /// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_send_offchannel_raw()
    [[nodiscard, gnu::noinline]] errc refusal_to_send(const endpoint_node& node, std::size_t length,
                                                      address to) const noexcept
    {
        if (!node.open)
            return errc::closed;
        if (this->room_ == 0)
            return errc::link_down;
        return length >= this->room_ ? errc::too_long : to.is_any() ? errc::not_bound : errc::full;
    }

    /// Whether the link is up, and nobody knows better. The exclusion is held.
    [[nodiscard]] bool link_holds() noexcept { return this->is(base::settled) && this->link_.intact(); }

    [[nodiscard]] bool is_receiving() noexcept
    {
        const scope lock{this->exclusion_};
        return this->inside_poll();
    }
};

}  // namespace rpmsg
