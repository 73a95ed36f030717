#pragma once

#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/announcement.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace rpmsg {

/// A function for one kind of event.
template <event_kind Kind, typename Function>
class handler {
public:
    static constexpr auto kind = Kind;
    // NOLINTNEXTLINE(google-explicit-constructor): on_bound{lambda}
    constexpr handler(Function function) noexcept : function_{std::move(function)} {}

    /// Calls it, if the event is of its kind.
    void operator()(event_kind kind_of, event_word e) noexcept
    {
        if (kind_of != Kind)
            return;
        if constexpr (Kind == event_kind::bound || Kind == event_kind::unbound)
            call(e.peer());
        else if constexpr (Kind == event_kind::announced || Kind == event_kind::withdrawn)
            call(e.news());
        else if constexpr (Kind == event_kind::link)
            call(e.state());
        else if constexpr (Kind == event_kind::error)
            call(e.cause());
        else
            function_();
    }

private:
    /// With what the event says, if the function wants it.
    template <typename What>
    void call(const What& what) noexcept
    {
        if constexpr (std::invocable<Function&, const What&>)
            function_(what);
        else
            function_();
    }

    [[no_unique_address]] Function function_;
};

/// Of an endpoint: its peer is known, `(address)` or `()`.
template <typename Function>
struct on_bound : handler<event_kind::bound, Function> {
    using handler<event_kind::bound, Function>::handler;
};
template <typename Function>
on_bound(Function) -> on_bound<Function>;

/// Of an endpoint: its peer is gone, `(address)` with the peer it had, or `()`.
template <typename Function>
struct on_unbound : handler<event_kind::unbound, Function> {
    using handler<event_kind::unbound, Function>::handler;
};
template <typename Function>
on_unbound(Function) -> on_unbound<Function>;

/// Of a bus: the peer announced a channel that no endpoint here waits for, `(const announcement&)`.
template <typename Function>
struct on_announced : handler<event_kind::announced, Function> {
    using handler<event_kind::announced, Function>::handler;
};
template <typename Function>
on_announced(Function) -> on_announced<Function>;

/// Of a bus: the peer withdrew a channel, `(const announcement&)`; endpoints bound to it were told before.
template <typename Function>
struct on_withdrawn : handler<event_kind::withdrawn, Function> {
    using handler<event_kind::withdrawn, Function>::handler;
};
template <typename Function>
on_withdrawn(Function) -> on_withdrawn<Function>;

/// Of a bus: the link's state changed, `(link_state)`.
template <typename Function>
struct on_link : handler<event_kind::link, Function> {
    using handler<event_kind::link, Function>::handler;
};
template <typename Function>
on_link(Function) -> on_link<Function>;

/// Of a bus: a send found no buffer, and now there is one, `()`.
template <typename Function>
struct on_tx_ready : handler<event_kind::tx_ready, Function> {
    using handler<event_kind::tx_ready, Function>::handler;
};
template <typename Function>
on_tx_ready(Function) -> on_tx_ready<Function>;

/// Of a bus: something was refused or dropped, `(fault)`.
template <typename Function>
struct on_error : handler<event_kind::error, Function> {
    using handler<event_kind::error, Function>::handler;
};
template <typename Function>
on_error(Function) -> on_error<Function>;

/// Of an endpoint: each sender becomes its peer, as the first one does otherwise.
struct follow_last_sender {
    void operator()(event_kind /*kind*/, event_word /*with*/) noexcept {}
};

}  // namespace rpmsg
