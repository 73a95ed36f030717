#pragma once

#include <rpmsg/wire/header.hpp>

#include <cstdint>

namespace rpmsg {

/// Names one endpoint of one side; its peer's addresses are another set.
class address {
public:
    /// Nobody.
    constexpr address() noexcept = default;
    explicit constexpr address(std::uint32_t value) noexcept : value_{value} {}

    /// As it stands on the wire.
    [[nodiscard]] constexpr std::uint32_t value() const noexcept { return value_; }
    /// Whether it names nobody (0xFFFFFFFF on the wire).
    [[nodiscard]] constexpr bool is_any() const noexcept { return value_ == wire::any_address; }

    [[nodiscard]] friend constexpr bool operator==(address, address) noexcept = default;

private:
    std::uint32_t value_ = wire::any_address;
};

/// Nobody yet, or "choose one for me".
/// @spec Linux include/uapi/linux/rpmsg.h, RPMSG_ADDR_ANY
inline constexpr address any_address{};
/// Where announcements go, on both sides.
/// @spec Linux include/linux/rpmsg/ns.h, RPMSG_NS_ADDR
inline constexpr address name_service_address{wire::name_service_address};

/// The peer's endpoint that an endpoint is opened towards.
struct towards {
    address peer;
    explicit constexpr towards(address a) noexcept : peer{a} {}
    explicit constexpr towards(std::uint32_t a) noexcept : peer{a} {}
};

}  // namespace rpmsg
