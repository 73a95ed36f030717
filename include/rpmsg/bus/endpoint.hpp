#pragma once

#include <rpmsg/bus/bus.hpp>
#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/handler.hpp>
#include <rpmsg/bus/message.hpp>
#include <rpmsg/bus/receiver.hpp>
#include <rpmsg/bus/tx_buffer.hpp>
#include <rpmsg/config.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/name.hpp>
#include <rpmsg/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rpmsg {

/// One of our addresses, with what is to be done with the messages that come for it.
///
/// @code
/// rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }};
/// rpmsg::endpoint imu{bus, rpmsg::typed<sample>, [](const sample& s, rpmsg::address from) { … }};
/// rpmsg::endpoint log{bus};  // only sends
/// @endcode
/// Behind the receiver may stand on_bound{…}, on_unbound{…} and follow_last_sender{}.
///
/// endpoint and immortal<endpoint> are made of it. The constructor touches nothing: it may be constinit, and
/// joins the bus in open(). It does not move. A receiver's result is sent to the sender; inside a receiver
/// calls with a deadline do not wait; an exception that leaves a receiver terminates.
///
/// @tparam Bus       Its bus, deduced.
/// @tparam Payload   T of typed<T>, or void for bytes.
/// @tparam Receiver  See receiver_call.
/// @tparam Handlers  on_bound, on_unbound, follow_last_sender.
/// @context As the bus's Board::exclusion admits. close() and destruction wait for a receiver that another
///          context runs; from a context that interrupted it, close() is errc::busy and destruction a
///          mistake that ends the program.
template <typename Bus, typename Payload, typename Receiver, typename... Handlers>
class basic_endpoint : private endpoint_node {
    static constexpr bool is_typed = !std::is_void_v<Payload>;
    static constexpr bool replies_ = receiver_call<Payload, Receiver>::replies();

public:
    using deadline = typename Bus::deadline;
    /// What acquire() returns.
    using buffer = tx_buffer<Bus, Payload>;

    explicit constexpr basic_endpoint(Bus& owner) noexcept : endpoint_node{told}, bus_{&owner} { check(); }
    constexpr basic_endpoint(Bus& owner, Receiver receiver, Handlers... handlers) noexcept
        requires(!is_typed)
        : endpoint_node{told, replies_, follows},
          bus_{&owner},
          receiver_{std::move(receiver)},
          handlers_{std::move(handlers)...}
    {
        check();
    }
    constexpr basic_endpoint(Bus& owner, typed_t<Payload> /*type*/) noexcept
        requires(is_typed)
        : endpoint_node{told},
          bus_{&owner}
    {
        check();
    }
    constexpr basic_endpoint(Bus& owner, typed_t<Payload> /*type*/, Receiver receiver,
                             Handlers... handlers) noexcept
        requires(is_typed)
        : endpoint_node{told, replies_, follows},
          bus_{&owner},
          receiver_{std::move(receiver)},
          handlers_{std::move(handlers)...}
    {
        check();
    }

    /// Announces the channel and binds to whoever answers: to its announcement of the same name, or to the
    /// first sender. Before the link is up it is announced when it comes up, and again in each epoch.
    ///
    /// @param local  Ours, or any: the dialect's next free one.
    /// @return errc::already_open, errc::address_in_use.
    /// @context Never waits: without a free buffer the announcement is sent when there is one.
    result<void> open(name channel, address local = any_address) noexcept
    {
        return bus_->open(*this, channel, local, any_address);
    }
    /// Bound from the start, announced to nobody.
    result<void> open(address local, towards peer) noexcept
    {
        return bus_->open(*this, {}, local, peer.peer);
    }
    /// Bound from the start, from an address chosen here: the answer to an announcement.
    result<void> open(towards peer) noexcept { return bus_->open(*this, {}, any_address, peer.peer); }
    /// At an address that the peer knows; announced to nobody, bound to its first sender.
    result<void> open(address local) noexcept { return bus_->open(*this, {}, local, any_address); }

    /// Withdraws it if it was announced, and gives its address back.
    ///
    /// Inside its own receiver it takes effect when that returns; otherwise when this returns the receiver
    /// runs no more.
    ///
    /// @return errc::closed; errc::full when too many withdrawals wait already; errc::busy, see above.
    result<void> close() noexcept { return bus_->close(*this, false); }

    /// Whether it is open, and not about to close.
    [[nodiscard]] bool is_open() const noexcept { return bus_->look_at(*this).is_open; }
    /// Whether the peer's endpoint is known, so that send() knows where to.
    [[nodiscard]] bool is_bound() const noexcept { return bus_->look_at(*this).is_bound; }
    /// Ours; any while it is closed.
    [[nodiscard]] address local() const noexcept { return bus_->look_at(*this).local; }
    /// The peer's; any while it is unbound.
    [[nodiscard]] address peer() const noexcept { return bus_->look_at(*this).peer; }

    /// Polls the bus until the endpoint is bound.
    ///
    /// @return errc::timed_out; inside a receiver errc::not_bound at once.
    result<void> wait_bound(deadline until) noexcept
    {
        return bus_->wait_until(until, errc::not_bound, [this]() noexcept { return is_bound(); });
    }

    // Bytes. A span of 0 to max_payload() bytes, any alignment. Errors, for all: errc::closed,
    // errc::link_down, errc::not_bound, errc::bad_address (an address named is any), errc::too_long; without
    // a free buffer errc::full from try_…, and errc::timed_out from the others, which wait for one without
    // dispatching (inside a receiver: errc::full); errc::protocol or errc::out_of_map when the peer broke the ring:
    // the link starts over.

    /// Sends a copy to the peer; waits for a buffer until then.
    result<void> send(std::span<const std::byte> payload, deadline until) noexcept
        requires(!is_typed)
    {
        return bus_->send(*this, any_address, any_address, payload, until);
    }
    /// Sends a copy to another of the peer's endpoints.
    result<void> send_to(address to, std::span<const std::byte> payload, deadline until) noexcept
        requires(!is_typed)
    {
        return to.is_any() ? errc::bad_address : bus_->send(*this, any_address, to, payload, until);
    }
    /// Sends a copy in another endpoint's name.
    result<void> send_from(address from, address to, std::span<const std::byte> payload,
                           deadline until) noexcept
        requires(!is_typed)
    {
        return any(from, to) ? errc::bad_address : bus_->send(*this, from, to, payload, until);
    }
    /// Sends a copy to the peer, now or not at all.
    RPMSG_HOT_PATH result<void> try_send(std::span<const std::byte> payload) noexcept
        requires(!is_typed)
    {
        return bus_->try_send(*this, any_address, any_address, payload);
    }
    /// Sends a copy to another of the peer's endpoints, now or not at all.
    result<void> try_send_to(address to, std::span<const std::byte> payload) noexcept
        requires(!is_typed)
    {
        return to.is_any() ? errc::bad_address : bus_->try_send(*this, any_address, to, payload);
    }
    /// Sends a copy in another endpoint's name, now or not at all.
    result<void> try_send_from(address from, address to, std::span<const std::byte> payload) noexcept
        requires(!is_typed)
    {
        return any(from, to) ? errc::bad_address : bus_->try_send(*this, from, to, payload);
    }

    // A value of typed<T>. Errors as above.

    /// Sends a copy to the peer; waits for a buffer until then.
    template <typename T>
        requires(is_typed && std::is_same_v<T, Payload>)
    result<void> send(const T& value, deadline until) noexcept
    {
        return bus_->send(*this, any_address, any_address, bytes_of(value), until);
    }
    /// Sends a copy to another of the peer's endpoints.
    template <typename T>
        requires(is_typed && std::is_same_v<T, Payload>)
    result<void> send_to(address to, const T& value, deadline until) noexcept
    {
        return to.is_any() ? errc::bad_address : bus_->send(*this, any_address, to, bytes_of(value), until);
    }
    /// Sends a copy in another endpoint's name.
    template <typename T>
        requires(is_typed && std::is_same_v<T, Payload>)
    result<void> send_from(address from, address to, const T& value, deadline until) noexcept
    {
        return any(from, to) ? errc::bad_address : bus_->send(*this, from, to, bytes_of(value), until);
    }
    /// Sends a copy to the peer, now or not at all.
    template <typename T>
        requires(is_typed && std::is_same_v<T, Payload>)
    RPMSG_HOT_PATH result<void> try_send(const T& value) noexcept
    {
        return bus_->try_send(*this, any_address, any_address, bytes_of(value));
    }
    /// Sends a copy to another of the peer's endpoints, now or not at all.
    template <typename T>
        requires(is_typed && std::is_same_v<T, Payload>)
    result<void> try_send_to(address to, const T& value) noexcept
    {
        return to.is_any() ? errc::bad_address : bus_->try_send(*this, any_address, to, bytes_of(value));
    }
    /// Sends a copy in another endpoint's name, now or not at all.
    template <typename T>
        requires(is_typed && std::is_same_v<T, Payload>)
    result<void> try_send_from(address from, address to, const T& value) noexcept
    {
        return any(from, to) ? errc::bad_address : bus_->try_send(*this, from, to, bytes_of(value));
    }

    // In place: the payload is written where the peer reads it.

    /// A transmit buffer, now or not at all: empty with errc::closed, errc::link_down, errc::full,
    /// errc::too_long (T does not fit), errc::misaligned (the peer's buffers are not aligned for T), or
    /// errc::protocol or errc::out_of_map (the peer broke the ring: the link starts over).
    [[nodiscard]] RPMSG_HOT_PATH buffer try_acquire() noexcept
    {
        grant taken{};
        const auto why =
            bus_->try_grant(taken, *this, any_address, any_address, least, Bus::addressee::perhaps_later);
        return made(taken, why);
    }
    /// The same; waits for a buffer until then (inside a receiver it does not).
    [[nodiscard]] buffer acquire(deadline until) noexcept
    {
        grant taken{};
        const auto why = bus_->grant_until(taken, *this, any_address, any_address, least,
                                           Bus::addressee::perhaps_later, until);
        return made(taken, why);
    }

protected:
    /// The endpoint is being destroyed.
    void end() noexcept
    {
        if (endpoint_node::open && bus_->close(*this, true).error() == errc::busy)
            __builtin_trap();  // destroyed by what interrupted its receiver: nothing could make this right
    }

private:
    static constexpr bool follows = (std::is_same_v<Handlers, follow_last_sender> || ...);
    static constexpr std::size_t least = [] {
        if constexpr (is_typed)
            return sizeof(Payload);
        else
            return std::size_t{0};
    }();

    static constexpr void check() noexcept
    {
        if constexpr (is_typed)
            wire::require_payload<Payload>();
    }
    static constexpr bool any(address from, address to) noexcept { return from.is_any() || to.is_any(); }
    static std::span<const std::byte> bytes_of(const auto& value) noexcept
    {
        return std::as_bytes(std::span{std::addressof(value), 1});
    }

    RPMSG_HOT_PATH buffer made(const grant& taken, errc why) noexcept
    {
        if (why != errc{})
            return buffer{why};
        bus_->hold_handle(taken.epoch);
        buffer out{*bus_, taken};
        if constexpr (is_typed) {
            if (taken.capacity - sizeof(wire::header) < sizeof(Payload))
                return refused(out, errc::too_long);
            if (reinterpret_cast<std::uintptr_t>(taken.data + sizeof(wire::header)) % alignof(Payload) != 0)
                return refused(out, errc::misaligned);
            std::construct_at(&*out);
        }
        return out;
    }
    static buffer refused(buffer& out, errc why) noexcept
    {
        out.drop();
        return buffer{why};
    }

    static void told(endpoint_node& node, event_kind what, event_word with) noexcept
    {
        auto& self = static_cast<basic_endpoint&>(node);
        if (what == event_kind::message) {
            auto& d = with.message();
            auto* const owner = self.bus_;  // the receiver may destroy `self`
            receiver_call<Payload, Receiver>::run(
                self.receiver_, d, owner->keeper_of_buffers(),
                [&d, owner](std::span<const std::byte> reply) noexcept { owner->answer(d, reply); });
        } else if constexpr (sizeof...(Handlers) != 0) {
            std::apply([=](auto&... handlers) noexcept { (handlers(what, with), ...); }, self.handlers_);
        }
    }

    Bus* bus_;
    [[no_unique_address]] Receiver receiver_{};
    [[no_unique_address]] std::tuple<Handlers...> handlers_;
};

/// A basic_endpoint that closes with its scope.
template <typename Bus, typename Payload, typename Receiver, typename... Handlers>
class endpoint : public basic_endpoint<Bus, Payload, Receiver, Handlers...> {
public:
    using basic = basic_endpoint<Bus, Payload, Receiver, Handlers...>;
    using basic::basic;
    endpoint(const endpoint&) = delete;
    endpoint& operator=(const endpoint&) = delete;
    constexpr ~endpoint()
    {
        if (!std::is_constant_evaluated())
            this->end();
    }
};

template <typename Bus>
endpoint(Bus&) -> endpoint<typename Bus::basic, void, no_receiver>;
template <typename Bus, typename Receiver, typename... Handlers>
endpoint(Bus&, Receiver, Handlers...) -> endpoint<typename Bus::basic, void, Receiver, Handlers...>;
template <typename Bus, typename T>
endpoint(Bus&, typed_t<T>) -> endpoint<typename Bus::basic, T, no_receiver>;
template <typename Bus, typename T, typename Receiver, typename... Handlers>
endpoint(Bus&, typed_t<T>, Receiver, Handlers...) -> endpoint<typename Bus::basic, T, Receiver, Handlers...>;

}  // namespace rpmsg
