#pragma once

#include <rpmsg/bus/bus.hpp>
#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/handler.hpp>
#include <rpmsg/result.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace rpmsg {

/// Hears what happens on a bus: channels that come and go, the link, free buffers, faults.
///
/// @code
/// rpmsg::observer watch{bus, rpmsg::on_announced{[](const rpmsg::announcement& a) { … }},
///                       rpmsg::on_link{[](rpmsg::link_state s) { … }}};
/// watch.open();
/// @endcode
/// As endpoints: the constructor touches nothing, it does not move, and it may close in its own functions.
///
/// @tparam Handlers  on_announced, on_withdrawn, on_link, on_tx_ready, on_error.
/// @context Its functions run in the context that polls, with no lock held.
template <typename Bus, typename... Handlers>
class basic_observer : private endpoint_node {
public:
    explicit constexpr basic_observer(Bus& owner, Handlers... handlers) noexcept
        : endpoint_node{told},
          bus_{&owner},
          handlers_{std::move(handlers)...}
    {}
    /// Begins to listen. @return errc::already_open.
    result<void> open() noexcept { return bus_->observe(*this); }
    /// Ends to listen. @return errc::closed; errc::busy from a context that interrupted one of its functions.
    result<void> close() noexcept { return bus_->ignore(*this); }
    /// Whether it listens.
    [[nodiscard]] bool is_open() const noexcept { return endpoint_node::open; }

protected:
    /// The observer is being destroyed.
    void end() noexcept
    {
        if (endpoint_node::open && bus_->ignore(*this).error() == errc::busy)
            __builtin_trap();  // destroyed by what interrupted its function: nothing could make this right
    }

private:
    static void told(endpoint_node& node, event_kind what, event_word with) noexcept
    {
        std::apply([=](auto&... handlers) noexcept { (handlers(what, with), ...); },
                   static_cast<basic_observer&>(node).handlers_);
    }

    Bus* bus_;
    [[no_unique_address]] std::tuple<Handlers...> handlers_;
};

/// A basic_observer that closes with its scope.
template <typename Bus, typename... Handlers>
class observer : public basic_observer<Bus, Handlers...> {
public:
    using basic = basic_observer<Bus, Handlers...>;
    using basic::basic;
    observer(const observer&) = delete;
    observer& operator=(const observer&) = delete;
    constexpr ~observer()
    {
        if (!std::is_constant_evaluated())
            this->end();
    }
};

template <typename Bus, typename... Handlers>
observer(Bus&, Handlers...) -> observer<typename Bus::basic, Handlers...>;

}  // namespace rpmsg
