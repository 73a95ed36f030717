#pragma once

#include "golden/recording.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace golden {

/// Where the parts of one ring lie, as the recording says it: nothing of our own layout is in it.
struct ring_at {
    std::size_t descriptors;
    std::size_t avail;
    std::size_t used;
    std::size_t end;
};

/// The shared memory, and the hand of whoever was recorded in it.
class region {
public:
    explicit region(const scenario& s)
        : base{s.get("base.pa")},
          num{static_cast<std::uint16_t>(s.get("num"))},
          rings{ring(s, "vring0"), ring(s, "vring1")},
          memory(s.get("image.size"), static_cast<std::byte>(s.get("fill")))
    {}

    std::uint32_t base;  ///< The address of the first byte on the wire.
    std::uint16_t num;
    std::array<ring_at, 2> rings;
    bytes memory;

    [[nodiscard]] std::uint64_t get(std::size_t at, std::size_t size) const
    {
        std::uint64_t value = 0;
        for (std::size_t i = size; i-- != 0;)
            value = value << 8U | std::to_integer<std::uint64_t>(memory.at(at + i));
        return value;
    }
    [[nodiscard]] std::uint16_t half(std::size_t at) const { return static_cast<std::uint16_t>(get(at, 2)); }
    [[nodiscard]] std::uint32_t word(std::size_t at) const { return static_cast<std::uint32_t>(get(at, 4)); }
    void put(std::size_t at, std::size_t size, std::uint64_t value)
    {
        for (std::size_t i = 0; i != size; ++i, value >>= 8U)
            memory.at(at + i) = static_cast<std::byte>(value & 0xFFU);
    }
    [[nodiscard]] std::span<const std::byte> part(std::size_t at, std::size_t size) const
    {
        return std::span{memory}.subspan(at, size);
    }

    // The words of a ring

    [[nodiscard]] std::size_t descriptor(std::size_t which, std::uint32_t id) const
    {
        return rings[which].descriptors + 16 * std::size_t{id};
    }
    [[nodiscard]] std::size_t avail_entry(std::size_t which, std::uint32_t i) const
    {
        return rings[which].avail + 4 + 2 * (i % num);
    }
    [[nodiscard]] std::size_t used_entry(std::size_t which, std::uint32_t i) const
    {
        return rings[which].used + 4 + 8 * (i % num);
    }
    [[nodiscard]] std::uint16_t avail_flags(std::size_t which) const { return half(rings[which].avail); }
    [[nodiscard]] std::uint16_t avail_idx(std::size_t which) const { return half(rings[which].avail + 2); }
    [[nodiscard]] std::uint16_t used_flags(std::size_t which) const { return half(rings[which].used); }
    [[nodiscard]] std::uint16_t used_idx(std::size_t which) const { return half(rings[which].used + 2); }

    // The moves of whoever was recorded, without any check

    void describe(std::size_t which, std::uint32_t id, std::size_t at, std::uint32_t length,
                  std::uint32_t flags)
    {
        const auto d = descriptor(which, id);
        put(d, 8, base + at);
        put(d + 8, 4, length);
        put(d + 12, 2, flags);
    }
    void make_available(std::size_t which, std::uint32_t id)
    {
        const auto idx = avail_idx(which);
        put(avail_entry(which, idx), 2, id);
        put(rings[which].avail + 2, 2, idx + 1U);
    }
    void make_used(std::size_t which, std::uint32_t id, std::uint32_t length)
    {
        const auto idx = used_idx(which);
        put(used_entry(which, idx), 4, id);
        put(used_entry(which, idx) + 4, 4, length);
        put(rings[which].used + 2, 2, idx + 1U);
    }
    /// Header and payload of a `sent` line.
    void write_message(std::size_t at, const line& sent)
    {
        const auto payload = sent.data();
        put(at, 4, sent.get("src"));
        put(at + 4, 4, sent.get("dst"));
        put(at + 8, 4, sent.get("reserved"));
        put(at + 12, 2, sent.get("len"));
        put(at + 14, 2, sent.get("flags"));
        for (std::size_t i = 0; i != payload.size(); ++i)
            memory.at(at + 16 + i) = payload[i];
    }

private:
    static ring_at ring(const scenario& s, const std::string& which)
    {
        return {s.get(which + ".off"), s.get(which + ".avail"), s.get(which + ".used"),
                s.get(which + ".end")};
    }
};

/// The name in an announcement, at most as many characters as we keep.
inline std::string name_in(std::span<const std::byte> payload)
{
    std::string name;
    for (const auto c : payload.first(31)) {
        if (c == std::byte{})
            break;
        name += static_cast<char>(c);
    }
    return name;
}

inline std::uint32_t word_in(std::span<const std::byte> payload, std::size_t at)
{
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- != 0;)
        value = value << 8U | std::to_integer<std::uint32_t>(payload[at + i]);
    return value;
}

/// "+name@address" or "-name@address" for an announcement as it was recorded.
inline std::string news_in(std::span<const std::byte> payload)
{
    return ((word_in(payload, 36) & 1U) != 0 ? "-" : "+") + name_in(payload) + "@" +
           std::to_string(word_in(payload, 32));
}

/// An announcement's bytes as we write them: zeros behind the name, whatever the other library left there.
inline bytes with_clean_name(bytes payload)
{
    const auto length = name_in(payload).size();
    for (std::size_t i = length; i < 32; ++i)
        payload[i] = std::byte{};
    return payload;
}

/// What differs, a line a byte: which offset, what was expected, what is there. Empty when nothing does.
///
/// @param ignored  Ranges that may differ.
inline std::string difference(std::span<const std::byte> expected, std::span<const std::byte> got,
                              const std::vector<range>& ignored)
{
    const auto hex_byte = [](std::byte b) {
        constexpr std::string_view digits = "0123456789abcdef";
        const auto value = std::to_integer<unsigned>(b);
        return std::string{digits[value >> 4U], digits[value & 15U]};
    };
    std::ostringstream out;
    int told = 0;
    for (std::size_t at = 0; at != expected.size(); ++at) {
        if (expected[at] == got[at] ||
            std::ranges::any_of(ignored, [at](const range& r) { return r.holds(at); }))
            continue;
        if (++told > 32)
            return out.str() + "... and more\n";
        out << "offset 0x" << std::hex << at << ": expected " << hex_byte(expected[at]) << ", got "
            << hex_byte(got[at]) << '\n';
    }
    return out.str();
}

}  // namespace golden
