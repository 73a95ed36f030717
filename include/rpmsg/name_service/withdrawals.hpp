#pragma once

#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/name.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace rpmsg {

/// Channels that are gone here and not yet withdrawn at the peer: they wait for a free buffer.
///
/// @tparam N  How many can wait; 0 for an image whose endpoints never close.
template <std::size_t N>
class withdrawals {
public:
    /// One of them.
    struct entry {
        name service;
        address endpoint;
    };

    [[nodiscard]] constexpr bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] constexpr bool full() const noexcept { return count_ == N; }
    constexpr void clear() noexcept { count_ = 0; }
    /// The oldest. @pre !empty()
    [[nodiscard]] constexpr entry front() const noexcept
    {
        return {entries_[0].service, address{entries_[0].endpoint}};
    }
    /// @pre !full()
    constexpr void push(entry e) noexcept { entries_[count_++] = {e.service, e.endpoint.value()}; }
    /// Forgets the oldest; they are few. @pre !empty()
    constexpr void pop() noexcept
    {
        --count_;
        for (std::size_t i = 0; i != count_; ++i)
            entries_[i] = entries_[i + 1];
    }
    /// Puts what was popped back in front. @pre Nothing was pushed since.
    constexpr void unpop(entry e) noexcept
    {
        for (std::size_t i = count_++; i != 0; --i)
            entries_[i] = entries_[i - 1];
        entries_[0] = {e.service, e.endpoint.value()};
    }

private:
    // All zeros at first, so that a bus is too and takes no room in flash.
    struct kept {
        name service;
        std::uint32_t endpoint = 0;
    };
    std::array<kept, N> entries_{};
    std::uint8_t count_ = 0;
};

/// An image whose endpoints never close keeps none.
template <>
class withdrawals<0> {
public:
    struct entry {
        name service;
        address endpoint;
    };
    static constexpr bool empty() noexcept { return true; }
    static constexpr bool full() noexcept { return true; }
    static constexpr void clear() noexcept {}
    static constexpr entry front() noexcept { return {}; }
    static constexpr void push(entry /*e*/) noexcept {}
    static constexpr void pop() noexcept {}
    static constexpr void unpop(entry /*e*/) noexcept {}
};

}  // namespace rpmsg
