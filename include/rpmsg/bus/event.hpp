#pragma once

#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/announcement.hpp>

#include <cstdint>

namespace rpmsg {

struct delivery;

/// What a bus tells its endpoints and observers.
enum class event_kind : std::uint8_t { message, bound, unbound, announced, withdrawn, link, tx_ready, error };

/// What comes with an event, in one word; which member holds follows from the kind.
class event_word {
public:
    constexpr event_word() noexcept = default;
    explicit event_word(delivery& d) noexcept : word_{reinterpret_cast<std::uintptr_t>(&d)} {}
    explicit constexpr event_word(address a) noexcept : word_{a.value()} {}
    explicit event_word(const announcement& a) noexcept : word_{reinterpret_cast<std::uintptr_t>(&a)} {}
    explicit constexpr event_word(link_state s) noexcept : word_{static_cast<std::uintptr_t>(s)} {}
    explicit constexpr event_word(fault f) noexcept : word_{static_cast<std::uintptr_t>(f)} {}

    /// Of message.
    [[nodiscard]] delivery& message() const noexcept { return *reinterpret_cast<delivery*>(word_); }
    /// Of bound, unbound: to or from which of the peer's endpoints.
    [[nodiscard]] constexpr address peer() const noexcept
    {
        return address{static_cast<std::uint32_t>(word_)};
    }
    /// Of announced, withdrawn.
    [[nodiscard]] const announcement& news() const noexcept
    {
        return *reinterpret_cast<const announcement*>(word_);
    }
    /// Of link.
    [[nodiscard]] constexpr link_state state() const noexcept { return static_cast<link_state>(word_); }
    /// Of error.
    [[nodiscard]] constexpr fault cause() const noexcept { return static_cast<fault>(word_); }

private:
    std::uintptr_t word_ = 0;
};

}  // namespace rpmsg
