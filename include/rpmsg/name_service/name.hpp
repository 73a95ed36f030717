#pragma once

#include <rpmsg/result.hpp>
#include <rpmsg/wire/announcement.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace rpmsg {

/// The name of a channel: 1 to 31 characters that live as long as the program.
///
/// From a literal it is checked when it is compiled. Only the pointer is kept.
/// @spec Linux include/linux/mod_devicetable.h, RPMSG_NAME_SIZE
class name {
public:
    /// No name.
    constexpr name() noexcept = default;

    /// @param literal  A string literal of 1 to 31 characters: more does not compile.
    template <std::size_t N>
    // NOLINTNEXTLINE(google-explicit-constructor,modernize-avoid-c-arrays): `open("rpmsg-echo")` is the point
    consteval name(const char (&literal)[N]) noexcept : text_{literal}
    {
        static_assert(N > 1, "a channel's name must not be empty");
        static_assert(N <= wire::name_size, "a channel's name has at most 31 characters");
    }

    /// @param text  Zero-terminated; must not change or go away while an endpoint or a withdrawal uses it.
    /// @return errc::name_too_long unless it has 1 to 31 characters.
    static constexpr result<name> from_static(const char* text) noexcept
    {
        std::size_t length = 0;
        while (length != wire::name_size && text[length] != '\0')
            ++length;
        if (length == 0 || length == wire::name_size)
            return errc::name_too_long;
        name n;
        n.text_ = text;
        return n;
    }

    /// Zero-terminated, or nullptr.
    [[nodiscard]] constexpr const char* c_str() const noexcept { return text_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return text_ == nullptr; }

    /// Whether it is the one in a message: bounded, whatever the peer wrote.
    [[nodiscard]] constexpr bool is(const std::array<char, wire::name_size>& heard) const noexcept
    {
        if (text_ == nullptr)
            return false;
        std::size_t i = 0;
        for (; i != heard.size() - 1 && text_[i] != '\0'; ++i)
            if (heard[i] != text_[i])
                return false;
        // A peer may fill all 32 bytes; Linux and OpenAMP then see the first 31.
        return i == heard.size() - 1 || heard[i] == '\0';
    }

private:
    const char* text_ = nullptr;
};

}  // namespace rpmsg
