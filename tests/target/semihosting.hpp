#pragma once

/// @file
/// What a program on the target has instead of an operating system: QEMU prints its lines, and ends when it does.

#include <array>
#include <cstddef>
#include <cstdint>

/// In cortex_m.S and cortex_r.S.
extern "C" std::uint32_t semihosting(std::uint32_t operation, const void* argument) noexcept;

namespace target {

/// Prints on QEMU's stderr.
inline void say(const char* text) noexcept { semihosting(0x04, text); }  // SYS_WRITE0

inline void say(std::uint32_t number) noexcept
{
    std::array<char, 11> digits{};
    auto at = digits.size() - 1;
    do {
        digits[--at] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    say(&digits[at]);
}

/// Ends QEMU with a status.
[[noreturn]] inline void finish(std::uint32_t status) noexcept
{
    const std::array<std::uint32_t, 2> reason{0x2'0026, status};  // ADP_Stopped_ApplicationExit
    semihosting(0x20, reason.data());                             // SYS_EXIT_EXTENDED
    for (;;) {}
}

}  // namespace target
