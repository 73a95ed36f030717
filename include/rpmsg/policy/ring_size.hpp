#pragma once

#include <rpmsg/result.hpp>

#include <concepts>
#include <cstdint>

namespace rpmsg::policy {

/// How many descriptors a vring has, how it is aligned, and when that is known.
/// @spec virtio 1.2, 2.7 "Split Virtqueues"
template <typename T>
concept ring_size = requires(T size, const T known, std::uint32_t num) {
    { T::capacity } -> std::convertible_to<std::uint16_t>;  ///< At most this many.
    { T::align } -> std::convertible_to<std::uint32_t>;  ///< Of the used ring; 0: as whoever placed it says.
    { size.adopt(num) } noexcept -> std::same_as<bool>;  ///< Whether num descriptors will do.
    { known.count() } noexcept -> std::same_as<std::uint16_t>;
};

/// Exactly N descriptors: known to the compiler, so masks are constants.
///
/// @tparam Align  Of the used ring, where that is known too: then a ring is one pointer, and its parts lie at
///                constants from there. Another alignment is refused (errc::misaligned).
template <std::uint16_t N, std::uint32_t Align = 0>
struct ring_of {
    static_assert(N != 0 && (N & (N - 1U)) == 0 && N <= 32768,
                  "ring size must be a power of two, 1 to 32768");
    static_assert(Align == 0 || (Align >= 4 && Align <= 65536 && (Align & (Align - 1)) == 0),
                  "a used ring is aligned to a power of two, 4 to 65536");
    static constexpr std::uint16_t capacity = N;
    static constexpr std::uint32_t align = Align;
    static constexpr bool adopt(std::uint32_t num) noexcept { return num == N; }
    static constexpr std::uint16_t count() noexcept { return N; }
};
static_assert(ring_size<ring_of<16>> && ring_size<ring_of<16, 4096>>);

/// What the resource table says, up to N descriptors: memory is reserved for N.
template <std::uint16_t N>
class ring_up_to {
    static_assert(N != 0 && (N & (N - 1U)) == 0 && N <= 32768,
                  "ring size must be a power of two, 1 to 32768");

public:
    static constexpr std::uint16_t capacity = N;
    static constexpr std::uint32_t align = 0;
    constexpr bool adopt(std::uint32_t num) noexcept
    {
        if (num == 0 || num > N || (num & (num - 1)) != 0)
            return false;
        count_ = static_cast<std::uint16_t>(num);
        return true;
    }
    [[nodiscard]] constexpr std::uint16_t count() const noexcept { return count_; }

private:
    std::uint16_t count_ = N;
};
static_assert(ring_size<ring_up_to<256>>);

}  // namespace rpmsg::policy
