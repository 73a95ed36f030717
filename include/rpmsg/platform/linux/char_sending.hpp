#pragma once

#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/link.hpp>
#include <rpmsg/bus/message.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/platform/linux/char_seat.hpp>
#include <rpmsg/platform/linux/char_state.hpp>
#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/time_left.hpp>
#include <rpmsg/policy/clock.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/wire/header.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace rpmsg::platform {

/// The part of a char_bus that sends.
///
/// @context One thread at a time.
class char_sending : protected char_state {
public:
    using deadline = policy::deadline<monotonic_clock>;

protected:
    using char_state::char_state;

    enum class addressee : std::uint8_t { known, perhaps_later };

    result<void> try_send(const endpoint_node& node, address from, address to,
                          std::span<const std::byte> payload) noexcept
    {
        char_seat* seat = nullptr;
        auto why = may_send(seat, node, from, to, payload.size(), addressee::known);
        if (why == errc{})
            why = write(*seat, payload);
        return done(why);
    }
    /// Sleeps on the endpoint's own node, as the kernel says when there is room, or for the retry period.
    result<void> send(const endpoint_node& node, address from, address to, std::span<const std::byte> payload,
                      deadline until) noexcept
    {
        char_seat* seat = nullptr;
        if (const auto why = may_send(seat, node, from, to, payload.size(), addressee::known); why != errc{})
            return why;
        for (;;) {
            const auto why = write(*seat, payload);
            if (why != errc::full || polling_)
                return done(why);
            const auto left = time_left(until);
            if (left.count() == 0)
                return errc::timed_out;
            // Also where the kernel says when there is room: another program may have taken it before us.
            const auto look = kernel_says_ ? place_.rescan : place_.retry;
            seat->file.await_writable(kernel_says_, std::min<std::chrono::nanoseconds>(left, look));
        }
    }

    // In place: into a buffer of ours, which the kernel copies.

    errc try_grant(grant& out, const endpoint_node& node, address from, address to, std::size_t length,
                   addressee peer) noexcept
    {
        char_seat* seat = nullptr;
        if (const auto why = may_send(seat, node, from, to, length, peer); why != errc{})
            return why;
        const auto id = buffers_.take();
        if (!id)
            return id.error();
        out.data = buffers_.at(*id);
        out.capacity = static_cast<std::uint32_t>(sizeof(wire::header) + longest_);
        out.id = *id;
        out.from = node.local;
        out.to = node.peer;
        out.epoch = epoch_;
        lent_to_[*id] = seat;
        return errc{};
    }
    /// A buffer of ours is there or it is not: it does not come back by waiting.
    errc grant_until(grant& out, const endpoint_node& node, address from, address to, std::size_t length,
                     addressee peer, deadline /*until*/) noexcept
    {
        return try_grant(out, node, from, to, length, peer);
    }
    /// @return errc::full, and the buffer stays the caller's: the kernel has no room.
    errc publish(const grant& filled, std::uint32_t length) noexcept
    {
        auto* const seat = lent_to_[filled.id];
        if (seat == nullptr)
            return errc::closed;
        if (!seat->is_attached())
            return errc::link_down;
        if (filled.to != seat->destination || filled.from != seat->source)
            return errc::unsupported;
        const auto why = write(*seat, {filled.data + sizeof(wire::header), length});
        if (why == errc{})
            park(filled);
        return why;
    }
    void park(const grant& taken) noexcept
    {
        lent_to_[taken.id] = nullptr;
        buffers_.give(taken.id);
    }
    [[nodiscard]] bool is_current(std::uint32_t epoch) const noexcept { return epoch == epoch_; }
    static void hold_handle(std::uint32_t /*epoch*/) noexcept {}
    static void drop_handle(std::uint32_t /*epoch*/) noexcept {}

    // Replies

    /// A receiver's result: when the kernel has no room it waits, and nothing else is read for that endpoint.
    void answer(delivery& d, std::span<const std::byte> payload) noexcept
    {
        d.refused = fault::reply_dropped;
        auto* const seat = current_;
        if (seat == nullptr || seat->owner == nullptr || !seat->is_bound() || payload.size() > longest_)
            return;
        auto why = write(*seat, payload);
        if (why == errc::full) {
            const auto kept = buffers_.take();
            if (!kept)
                return;
            if (!payload.empty())
                std::memcpy(buffers_.at(*kept), payload.data(), payload.size());
            seat->reply = *kept;
            seat->reply_length = static_cast<std::uint16_t>(payload.size());
            seat->has_reply = true;
            watch_again(*seat);
            why = errc{};
        }
        if (why == errc{})
            d.refused = fault::none;
    }
    /// Sends the replies that wait, and tells those who found no room that they may try again.
    void send_waiting() noexcept
    {
        bool room = false;
        for (auto* seat = seats_; seat != nullptr; seat = seat->next) {
            if (seat->owner == nullptr || !seat->is_attached() || !(seat->has_reply || seat->wants_room) ||
                (kernel_says_ && !seat->file.says_writable()))
                continue;
            if (seat->has_reply) {
                const auto why = write(*seat, {buffers_.at(seat->reply), seat->reply_length});
                if (why == errc::full)
                    continue;
                buffers_.give(seat->reply);
                seat->has_reply = false;
                if (why != errc{})
                    report(fault::reply_dropped);
            }
            room = room || seat->wants_room;
            seat->wants_room = false;
            if (seat->is_attached())
                watch_again(*seat);
        }
        if (room)
            tell_observers(event_kind::tx_ready);
    }

private:
    static result<void> done(errc why) noexcept { return why == errc{} ? result<void>{} : why; }

    errc may_send(char_seat*& seat, const endpoint_node& node, address from, address to, std::size_t length,
                  addressee peer) noexcept
    {
        seat = node.open ? seat_of(node) : nullptr;
        if (seat == nullptr)
            return errc::closed;
        if (!seat->is_attached())
            return remote_.is_there() && seat->service.c_str() != nullptr ? errc::not_bound : errc::link_down;
        if (length > longest_)
            return errc::too_long;
        if (peer == addressee::known && to.is_any() && seat->destination.is_any())
            return errc::not_bound;
        // A node leads to one address, from one address.
        if ((!to.is_any() && to != seat->destination) || (!from.is_any() && from != seat->source))
            return errc::unsupported;
        return errc{};
    }
    errc write(char_seat& seat, std::span<const std::byte> payload) noexcept
    {
        const auto why = seat.file.write(payload);
        return why == errc{} ? why : refused(seat, why, payload.size());
    }
    /// Draws the conclusions from a write that was refused.
    errc refused(char_seat& seat, errc why, std::size_t length) noexcept
    {
        if (why == errc::too_long) {
            longest_ = std::min(longest_, length - 1);
        } else if (why == errc::link_down) {
            seat.has_gone = look_due_ = true;  // the next poll sees to it
        } else if (why == errc::full && observers_.first() != nullptr && !seat.wants_room) {
            seat.wants_room = true;
            watch_again(seat);
            arm();
        }
        return why;
    }
};

}  // namespace rpmsg::platform
