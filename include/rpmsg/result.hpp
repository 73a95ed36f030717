#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

namespace rpmsg {

/// Why an operation had no effect. The comment names whose move it is.
///
/// A failed call changed nothing: it can be made again as it was.
enum class errc : std::uint8_t {
    full = 1,        ///< Every buffer is with the peer: wait for its doorbell, or for on_tx_ready.
    empty,           ///< Nothing to take: wait for the peer's doorbell.
    timed_out,       ///< The deadline came first: the caller decides whether to wait again.
    too_long,        ///< The payload exceeds max_payload(): caller's mistake.
    not_bound,       ///< The peer's address is not known yet: wait for on_bound, or name an address.
    link_down,       ///< No link: wait for it (wait_link); endpoints come back by themselves.
    stale,           ///< The buffer is of a link that is gone, or was sent already: take a new one.
    closed,          ///< The endpoint is not open: caller's mistake.
    already_open,    ///< The endpoint is open: caller's mistake; close it first.
    address_in_use,  ///< An open endpoint or the name service has this address: choose another.
    bad_address,     ///< The address names nobody (it is address::any): caller's mistake.
    name_too_long,   ///< A name has 1 to 31 characters: caller's mistake.
    busy,            ///< The receiver runs in the context that this one interrupted: try again later.
    not_ready,       ///< The resource table is not there yet: wait for the peer to lay it out.
    protocol,        ///< Shared memory holds what the spec forbids: the peer's fault; the link is lost.
    malformed,       ///< One message breaks the spec: the peer's fault; it is dropped and counted.
    misaligned,      ///< A ring or buffer is not aligned as the spec asks: whoever laid it out.
    bad_ring_size,   ///< A ring's size is no power of two, or not this board's: whoever laid it out.
    out_of_map,      ///< An address lies outside the board's address map: whoever laid it out.
    out_of_memory,   ///< The pool is too small for one buffer: whoever laid it out.
    unsupported,     ///< The peer or the kernel lacks what this needs: choose another model.
    system           ///< The operating system refused; errno says why: caller's move.
};

/// A value, or the reason why there is none. Has the member names of std::expected.
///
/// @tparam T  Default-constructible: its empty state stands in where there is no value.
template <typename T>
class [[nodiscard]] result {
    // Where T is a trivial struct nothing is stored in place of a value; no union, so it stays in registers.
    struct perhaps_value {
        // NOLINTNEXTLINE(modernize-use-equals-default): `{}` would then fill it with zeros
        constexpr perhaps_value() noexcept {}
        explicit constexpr perhaps_value(const T& value) noexcept : kept{value} {}
        T kept;
    };
    struct always_value {
        constexpr always_value() = default;
        explicit constexpr always_value(T value) noexcept : kept{std::move(value)} {}
        T kept{};
    };

public:
    using value_type = T;

    // NOLINTNEXTLINE(google-explicit-constructor): `return value;` is the point
    constexpr result(T value) noexcept : storage_{std::move(value)} {}
    // NOLINTNEXTLINE(google-explicit-constructor): `return errc::full;` is the point
    constexpr result(errc why) noexcept : error_{why} {}

    /// Whether there is a value.
    [[nodiscard]] constexpr bool has_value() const noexcept { return error_ == errc{}; }
    constexpr explicit operator bool() const noexcept { return has_value(); }

    /// The value. @pre has_value()
    constexpr T& operator*() & noexcept { return storage_.kept; }
    constexpr const T& operator*() const& noexcept { return storage_.kept; }
    constexpr T&& operator*() && noexcept { return std::move(storage_.kept); }
    constexpr T* operator->() noexcept { return &storage_.kept; }
    constexpr const T* operator->() const noexcept { return &storage_.kept; }

    /// The reason, or errc{} when there is a value.
    [[nodiscard]] constexpr errc error() const noexcept { return error_; }

    /// The value, or `other` when there is none.
    [[nodiscard]] constexpr T value_or(T other) const
    {
        return has_value() ? storage_.kept : std::move(other);
    }

private:
    std::conditional_t<std::is_trivially_default_constructible_v<T> && !std::is_scalar_v<T>, perhaps_value,
                       always_value>
        storage_;
    errc error_{};
};

/// Done, or the reason why not.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    constexpr result() noexcept = default;
    // NOLINTNEXTLINE(google-explicit-constructor): `return errc::full;` is the point
    constexpr result(errc why) noexcept : error_{why} {}

    /// Whether it was done.
    [[nodiscard]] constexpr bool has_value() const noexcept { return error_ == errc{}; }
    constexpr explicit operator bool() const noexcept { return has_value(); }

    /// The reason, or errc{} when it was done.
    [[nodiscard]] constexpr errc error() const noexcept { return error_; }

private:
    errc error_{};
};

}  // namespace rpmsg
