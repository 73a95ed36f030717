#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace pattern {

inline constexpr std::size_t longest = 496;  ///< What fits the buffers of Linux behind a header.
inline constexpr std::size_t shortest = 8;   ///< The number, and which way it goes.

/// Which way a message goes: the two directions have other sizes and other bytes.
enum class way : std::uint32_t { to_host = 1, to_guest = 2 };

/// Numbers that look random: splitmix64.
class numbers {
public:
    constexpr explicit numbers(std::uint64_t seed) noexcept : state_{seed} {}
    constexpr std::uint64_t next() noexcept
    {
        state_ += 0x9E37'79B9'7F4A'7C15U;
        auto z = state_;
        z = (z ^ (z >> 30U)) * 0xBF58'476D'1CE4'E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D0'49BB'1331'11EBU;
        return z ^ (z >> 31U);
    }

private:
    std::uint64_t state_;
};

/// Message n of one direction: a size from shortest to longest, and bytes that follow from n and the direction.
/// @return Its bytes in `into`.
inline std::span<std::byte> make(way direction, std::uint32_t n, std::span<std::byte, longest> into)
{
    numbers from{(std::uint64_t{n} << 2U) | static_cast<std::uint32_t>(direction)};
    const auto size = shortest + from.next() % (longest - shortest + 1);
    const std::array head{n, static_cast<std::uint32_t>(direction)};
    static_assert(sizeof head == shortest);
    std::memcpy(into.data(), head.data(), sizeof head);
    for (std::size_t at = shortest; at < size; at += sizeof(std::uint64_t)) {
        const auto word = from.next();
        std::memcpy(&into[at], &word, size - at < sizeof word ? size - at : sizeof word);
    }
    return into.first(size);
}

/// Whether `got` is message n of that direction, to the last byte.
inline bool is(way direction, std::uint32_t n, std::span<const std::byte> got)
{
    std::array<std::byte, longest> room{};
    const auto wanted = make(direction, n, room);
    return got.size() == wanted.size() && std::memcmp(got.data(), wanted.data(), got.size()) == 0;
}

}  // namespace pattern
