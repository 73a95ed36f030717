#pragma once

#include <rpmsg/config.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace rpmsg::wire {

static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);

/// A number as it lies in memory that both ends read: least significant byte first on any host.
///
/// As aligned as the plain number, so the ring words can be loaded and stored as one access. Numbers
/// of 64 bits are two halves: no access to shared memory is wider than 32 bits.
///
/// @tparam T  An integer, floating-point or enumeration type of 1, 2, 4 or 8 bytes.
/// @spec   virtio 1.2, 1.4 "Structure Specifications"
template <typename T>
class little_endian {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>,
                  "little_endian takes numbers and enumerations");
    static_assert(!std::is_same_v<T, bool>, "a bool has no wire form: use wire::boolean");

    using bits = std::conditional_t<
        sizeof(T) == 1, std::uint8_t,
        std::conditional_t<sizeof(T) == 2, std::uint16_t,
                           std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
    static_assert(sizeof(T) == sizeof(bits), "little_endian takes numbers of 1, 2, 4 or 8 bytes");

public:
    using value_type = T;
    /// What lies in memory: one word, or two halves of 32 bits.
    using word = std::conditional_t<sizeof(T) == 8, std::uint32_t, bits>;

    /// Whatever was there; `little_endian{}` is 0.
    little_endian() noexcept = default;
    // NOLINTNEXTLINE(google-explicit-constructor): a number with another byte order is still that number
    constexpr little_endian(T value) noexcept { set(std::bit_cast<bits>(value)); }

    // NOLINTNEXTLINE(google-explicit-constructor)
    constexpr operator T() const noexcept { return get(); }

    /// The number in the host's own order.
    [[nodiscard]] constexpr T get() const noexcept
    {
        if constexpr (sizeof(T) == 8)
            return std::bit_cast<T>(static_cast<bits>(swapped(words_[0])) |
                                    static_cast<bits>(static_cast<bits>(swapped(words_[1])) << 32U));
        else
            return std::bit_cast<T>(swapped(words_[0]));
    }

    /// The number, read exactly once even if the peer changes it meanwhile: check the copy, use the copy.
    [[nodiscard]] T read_once() const noexcept
    {
        little_endian copy;
        for (std::size_t i = 0; i != sizeof words_ / sizeof(word); ++i)
            copy.words_[i] = read(words_[i]);
        return copy.get();
    }

    /// Stores exactly once, never as part of a merged or invented store.
    void write_once(T value) noexcept
    {
        const little_endian copy{value};
        for (std::size_t i = 0; i != sizeof words_ / sizeof(word); ++i)
            write(words_[i], copy.words_[i]);
    }

    /// The word as it lies in memory, for policy::coherence.
    [[nodiscard]] constexpr word& raw() noexcept
        requires(sizeof(T) <= 4)
    {
        return words_[0];
    }

    /// Turns a word of memory into the host's order, or back.
    static constexpr word swapped(word w) noexcept
    {
        if constexpr (std::endian::native == std::endian::little || sizeof(word) == 1)
            return w;
        else if constexpr (sizeof(word) == 2)
            return static_cast<word>((w >> 8U) | (w << 8U));
        else
            return static_cast<word>((w >> 24U) | ((w >> 8U) & 0xff00U) | ((w << 8U) & 0xff0000U) |
                                     (w << 24U));
    }

private:
    // Volatile is one access on every compiler and target; ThreadSanitizer wants it said as an atomic one.
    static word read(const word& from) noexcept
    {
        if constexpr (config::thread_sanitizer)
            return std::atomic_ref<word>{const_cast<word&>(from)}.load(std::memory_order_relaxed);
        else
            return const_cast<const volatile word&>(from);
    }
    static void write(word& to, word value) noexcept
    {
        if constexpr (config::thread_sanitizer)
            std::atomic_ref<word>{to}.store(value, std::memory_order_relaxed);
        else
            const_cast<volatile word&>(to) = value;
    }
    constexpr void set(bits value) noexcept
    {
        words_[0] = swapped(static_cast<word>(value));
        if constexpr (sizeof(T) == 8)
            words_[1] = swapped(static_cast<word>(value >> 32U));
    }

    // NOLINTNEXTLINE(modernize-avoid-c-arrays): no operator[] call at -O0, and std::array adds nothing here
    word words_[sizeof(T) / sizeof(word)];
};

using le16 = little_endian<std::uint16_t>;
using le32 = little_endian<std::uint32_t>;
using le64 = little_endian<std::uint64_t>;

static_assert(sizeof(le16) == 2 && alignof(le16) == 2);
static_assert(sizeof(le32) == 4 && alignof(le32) == 4);
static_assert(sizeof(le64) == 8 && alignof(le64) == 4);
static_assert(std::is_trivially_copyable_v<le64> && std::is_trivially_default_constructible_v<le64>);
static_assert(std::is_standard_layout_v<le64>);

/// Puts a number into memory of any alignment, in as few accesses as the processor can.
template <typename T>
inline void store(std::byte* at, T value) noexcept
{
    const little_endian<T> wire_form{value};
    __builtin_memcpy(at, &wire_form, sizeof wire_form);
}

/// Takes a number from memory of any alignment.
template <typename T>
[[nodiscard]] inline T load(const std::byte* at) noexcept
{
    little_endian<T> wire_form;
    __builtin_memcpy(&wire_form, at, sizeof wire_form);
    return wire_form.get();
}

/// A truth value as it lies in memory: one byte, where everything but 0 is true.
class boolean {
public:
    constexpr boolean() noexcept = default;
    // NOLINTNEXTLINE(google-explicit-constructor)
    constexpr boolean(bool value) noexcept : byte_{static_cast<std::uint8_t>(value)} {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    constexpr operator bool() const noexcept { return byte_ != 0; }

private:
    std::uint8_t byte_ = 0;
};

}  // namespace rpmsg::wire
