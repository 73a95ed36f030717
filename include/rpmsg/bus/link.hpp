#pragma once

#include <rpmsg/name_service/address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace rpmsg {

/// A buffer of either direction, in the ring or with us.
struct room {
    std::byte* data;         ///< Header and payload; nullptr when the peer named no memory of ours.
    std::uint32_t capacity;  ///< Bytes; of a received one, those that the peer says it wrote.
    std::uint16_t id;        ///< What it is given back or published as.
};

/// A buffer to fill with a message between two endpoints, in one epoch of the link.
struct grant : room {
    address from;
    address to;
    std::uint32_t epoch;
};

/// What a look at the link showed.
enum class link_change : std::uint8_t {
    none,
    came_up,
    went_down,
    refused,          ///< What the peer laid out cannot be used; why is in refusal().
    broke_down,       ///< It went down: the peer broke the rings, or what they point to.
    asked_for_reset,  ///< Somebody was on these rings before us: the driver was asked to start over.
};

/// Buffers taken from a ring and neither published nor given back: private memory, last in first out.
///
/// @tparam N  How many there can be.
template <std::uint16_t N>
class parked_buffers {
public:
    [[nodiscard]] constexpr std::uint16_t count() const noexcept { return count_; }
    constexpr void clear() noexcept { count_ = 0; }
    /// @pre Fewer than N are parked.
    constexpr void push(std::uint16_t id) noexcept { ids_[count_++] = static_cast<id_type>(id); }
    /// The one parked last. @pre count() != 0
    [[nodiscard]] constexpr std::uint16_t top() const noexcept { return ids_[count_ - 1U]; }
    /// Takes that one out. @pre count() != 0
    constexpr void pop() noexcept { --count_; }

private:
    using id_type = std::conditional_t<(N <= 256), std::uint8_t, std::uint16_t>;
    std::conditional_t<(N < 256), std::uint8_t, std::uint16_t> count_ = 0;
    std::array<id_type, N> ids_{};
};

}  // namespace rpmsg
