#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// What the examples send is text; what endpoints take is bytes.
inline std::span<const std::byte> bytes(std::string_view text) noexcept
{
    return std::as_bytes(std::span{text});
}

/// The text that came, in any view of bytes.
std::string_view text(const auto& bytes) noexcept
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
