#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

/// Bytes as pairs of lower-case hex digits, so that a failing comparison shows them.
inline std::string hex(std::span<const std::byte> bytes)
{
    std::string text;
    for (const auto byte : bytes) {
        const auto value = std::to_integer<unsigned>(byte);
        text += "0123456789abcdef"[value >> 4U];
        text += "0123456789abcdef"[value & 15U];
    }
    return text;
}

/// An object's bytes as they lie in memory.
template <typename T>
std::string hex_of(const T& object)
{
    return hex(std::as_bytes(std::span{&object, 1}));
}
