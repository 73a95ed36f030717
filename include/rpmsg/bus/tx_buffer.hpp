#pragma once

#include <rpmsg/bus/link.hpp>
#include <rpmsg/config.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/wire/header.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace rpmsg {

/// A transmit buffer that is ours until it is sent or destroyed: what is written there is not copied again.
///
/// Empty when none was to be had: error() says why. Sending consumes it, so it is `std::move(b).send()`;
/// a send that fails leaves it as it was. When the link is lost meanwhile, sends are errc::stale and
/// destruction does nothing.
///
/// @tparam Payload  void: payload() is bytes, and send() takes how many. T of typed<T>: `*b` is a zeroed T.
/// @context Fill it from any context; send and destroy it from one that may call the bus, which it must
///          not outlive.
template <typename Bus, typename Payload>
class tx_buffer {
    static constexpr bool is_typed = !std::is_void_v<Payload>;

public:
    /// Empty: errc::stale.
    constexpr tx_buffer() noexcept = default;
    /// Empty, because of `why`.
    explicit constexpr tx_buffer(errc why) noexcept : why_{why} {}
    tx_buffer(tx_buffer&& other) noexcept
        : bus_{std::exchange(other.bus_, nullptr)},
          grant_{other.grant_},
          why_{std::exchange(other.why_, errc::stale)}
    {}
    tx_buffer& operator=(tx_buffer&& other) noexcept
    {
        if (this != &other) {
            drop();
            bus_ = std::exchange(other.bus_, nullptr);
            grant_ = other.grant_;
            why_ = std::exchange(other.why_, errc::stale);
        }
        return *this;
    }
    ~tx_buffer() { drop(); }

    /// Whether there is a buffer.
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return bus_ != nullptr; }
    /// Why there is none; errc{} when there is one.
    [[nodiscard]] constexpr errc error() const noexcept { return bus_ != nullptr ? errc{} : why_; }

    /// All the room there is for a payload. Empty when there is no buffer.
    [[nodiscard]] std::span<std::byte> payload() const noexcept
        requires(!is_typed)
    {
        if (bus_ == nullptr)
            return {};
        return {grant_.data + sizeof(wire::header), grant_.capacity - sizeof(wire::header)};
    }

    /// The value to fill in. @pre There is a buffer.
    [[nodiscard]] std::add_lvalue_reference_t<Payload> operator*() const noexcept
        requires(is_typed)
    {
        return *reinterpret_cast<Payload*>(grant_.data + sizeof(wire::header));
    }
    [[nodiscard]] Payload* operator->() const noexcept
        requires(is_typed)
    {
        return reinterpret_cast<Payload*>(grant_.data + sizeof(wire::header));
    }

    /// Sends the first `length` bytes to the endpoint's peer.
    ///
    /// @return errc::stale, errc::not_bound, errc::too_long: the buffer is still ours.
    result<void> send(std::size_t length) && noexcept
        requires(!is_typed)
    {
        return go(grant_.from, grant_.to, length);
    }
    /// The same to another of the peer's endpoints; errc::bad_address if it is any.
    result<void> send_to(address to, std::size_t length) && noexcept
        requires(!is_typed)
    {
        return to.is_any() ? errc::bad_address : go(grant_.from, to, length);
    }
    /// The same in another endpoint's name; errc::bad_address if one of them is any.
    result<void> send_from(address from, address to, std::size_t length) && noexcept
        requires(!is_typed)
    {
        return from.is_any() || to.is_any() ? errc::bad_address : go(from, to, length);
    }

    /// Sends the value to the endpoint's peer.
    ///
    /// @return errc::stale, errc::not_bound: the buffer is still ours.
    result<void> send() && noexcept
        requires(is_typed)
    {
        return go(grant_.from, grant_.to, sizeof(Payload));
    }
    result<void> send_to(address to) && noexcept
        requires(is_typed)
    {
        return to.is_any() ? errc::bad_address : go(grant_.from, to, sizeof(Payload));
    }
    result<void> send_from(address from, address to) && noexcept
        requires(is_typed)
    {
        return from.is_any() || to.is_any() ? errc::bad_address : go(from, to, sizeof(Payload));
    }

    // Sending consumes the buffer: write std::move(buffer).send(…).
    void send(auto...) & = delete;
    void send_to(auto...) & = delete;
    void send_from(auto...) & = delete;

    /// Gives the buffer back unsent, now.
    void drop() noexcept
    {
        if (bus_ == nullptr)
            return;
        bus_->park(grant_);
        std::exchange(bus_, nullptr)->drop_handle(grant_.epoch);
        why_ = errc::stale;
    }

private:
    template <typename, typename, typename, typename...>
    friend class basic_endpoint;

    tx_buffer(Bus& owner, const grant& taken) noexcept : bus_{&owner}, grant_{taken} {}

    RPMSG_HOT_PATH result<void> go(address from, address to, std::size_t length) noexcept
    {
        if (bus_ == nullptr)
            return errc::stale;
        if (!bus_->is_current(grant_.epoch))  // by now its memory may hold another's message
            return errc::stale;
        if (to.is_any())
            return errc::not_bound;
        if (length > grant_.capacity - sizeof(wire::header))
            return errc::too_long;
        auto filled = grant_;
        filled.from = from;
        filled.to = to;
        const auto why = bus_->publish(filled, static_cast<std::uint32_t>(length));
        if (why == errc{})
            std::exchange(bus_, nullptr)->drop_handle(grant_.epoch);
        return why == errc{} ? result<void>{} : why;
    }

    Bus* bus_ = nullptr;
    grant grant_{};
    errc why_ = errc::stale;
};

}  // namespace rpmsg
