#pragma once

#include <rpmsg/result.hpp>

#include <concepts>
#include <cstdint>

namespace rpmsg::policy {

/// How many descriptors a vring has, and when that is known.
template <typename T>
concept ring_size = requires(T size, const T known, std::uint32_t num) {
    { T::capacity } -> std::convertible_to<std::uint16_t>;  ///< At most this many.
    { size.adopt(num) } noexcept -> std::same_as<bool>;     ///< Whether num descriptors will do.
    { known.count() } noexcept -> std::same_as<std::uint16_t>;
};

/// Exactly N descriptors: known to the compiler, so masks are constants.
template <std::uint16_t N>
struct ring_of {
    static_assert(N != 0 && (N & (N - 1U)) == 0 && N <= 32768,
                  "ring size must be a power of two, 1 to 32768");
    static constexpr std::uint16_t capacity = N;
    static constexpr bool adopt(std::uint32_t num) noexcept { return num == N; }
    static constexpr std::uint16_t count() noexcept { return N; }
};
static_assert(ring_size<ring_of<16>>);

/// What the resource table says, up to N descriptors: memory is reserved for N.
template <std::uint16_t N>
class ring_up_to {
    static_assert(N != 0 && (N & (N - 1U)) == 0 && N <= 32768,
                  "ring size must be a power of two, 1 to 32768");

public:
    static constexpr std::uint16_t capacity = N;
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
