#pragma once

/// @file
/// What the two sides have agreed on: the names of the channels and what travels over them.

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace demo {

inline constexpr rpmsg::name echo_channel{"demo.echo"};            ///< Bytes; the same come back.
inline constexpr rpmsg::name telemetry_channel{"demo.telemetry"};  ///< sample, from the device.
inline constexpr rpmsg::name matrix_channel{"demo.matrix"};        ///< operands; a matrix comes back.
inline constexpr rpmsg::name burst_channel{"demo.burst"};          ///< Bytes, to the device.
inline constexpr rpmsg::name control_channel{"demo.control"};      ///< command; figures come back.

/// One reading of a gyroscope that does not exist.
struct sample {
    std::uint64_t made_at;  ///< Nanoseconds of CLOCK_MONOTONIC; 0 where the sides share no clock.
    std::uint32_t number;   ///< From 0, one more each time.
    std::array<std::int16_t, 6> axis;
};

/// 144 bytes.
struct matrix {
    std::array<std::array<std::uint32_t, 6>, 6> row;

    friend constexpr bool operator==(const matrix&, const matrix&) noexcept = default;
};

/// 288 bytes.
struct operands {
    matrix left;
    matrix right;
};

constexpr matrix product(const operands& of) noexcept
{
    matrix result{};
    for (std::size_t i = 0; i != 6; ++i)
        for (std::size_t j = 0; j != 6; ++j)
            for (std::size_t k = 0; k != 6; ++k)
                result.row[i][j] += of.left.row[i][k] * of.right.row[k][j];
    return result;
}

/// What the driver wants of the device.
struct command {
    std::uint32_t more_samples;  ///< To be sent over demo.telemetry.
};

/// What the device has to say about itself, since it was started.
struct figures {
    std::uint32_t doorbells;     ///< How often it rang.
    std::uint32_t faults;        ///< What its bus refused or dropped.
    std::uint32_t frames;        ///< What came over demo.burst,
    std::uint32_t wrong_frames;  ///< and was not what should have come.
};

/// Fills a payload with what only this number leads to.
inline void fill(std::span<std::byte> payload, std::uint32_t number) noexcept
{
    std::uint64_t word = (number + 1) * 0x9E37'79B9'7F4A'7C15U;
    while (!payload.empty()) {
        const auto part = payload.first(payload.size() < sizeof word ? payload.size() : sizeof word);
        std::memcpy(part.data(), &word, part.size());
        payload = payload.subspan(part.size());
        word += 0x0101'0101'0101'0101U;
    }
}

/// Whether it is still what fill() made it.
inline bool is_intact(std::span<const std::byte> payload, std::uint32_t number) noexcept
{
    std::uint64_t word = (number + 1) * 0x9E37'79B9'7F4A'7C15U;
    while (!payload.empty()) {
        const auto part = payload.first(payload.size() < sizeof word ? payload.size() : sizeof word);
        if (std::memcmp(part.data(), &word, part.size()) != 0)
            return false;
        payload = payload.subspan(part.size());
        word += 0x0101'0101'0101'0101U;
    }
    return true;
}

}  // namespace demo
