#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tool {

/// Fills a payload with what only this number leads to: the number in 4 bytes, little-endian, then bytes that count
/// up from it. A shorter payload is the beginning of that.
inline void fill(std::span<std::byte> payload, std::uint32_t number) noexcept
{
    for (std::size_t i = 0; i != payload.size(); ++i)
        payload[i] = static_cast<std::byte>(i < 4 ? number >> (8 * i) : number + i);
}

/// Whether it is still what fill() made it.
inline bool is_intact(std::span<const std::byte> payload, std::uint32_t number) noexcept
{
    for (std::size_t i = 0; i != payload.size(); ++i)
        if (payload[i] != static_cast<std::byte>(i < 4 ? number >> (8 * i) : number + i))
            return false;
    return true;
}

/// The number that fill() was given, if that made it and it has 4 bytes or more.
inline std::uint32_t number_of(std::span<const std::byte> payload) noexcept
{
    std::uint32_t number = 0;
    for (std::size_t i = 0; i != payload.size() && i != 4; ++i)
        number |= std::to_integer<std::uint32_t>(payload[i]) << (8 * i);
    return number;
}

}  // namespace tool
