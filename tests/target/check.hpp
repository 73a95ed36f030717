#pragma once

/// @file
/// What stands for Catch2 on a processor without an operating system: a test is a function, and counts.

#include "target/semihosting.hpp"

#include <cstdint>

namespace target {

inline std::uint32_t passed = 0;
inline std::uint32_t failed = 0;

inline void check(bool holds, const char* what, std::uint32_t line) noexcept
{
    if (holds) {
        passed = passed + 1;
        return;
    }
    failed = failed + 1;
    say("failed in line ");
    say(line);
    say(": ");
    say(what);
    say("\n");
}

/// One file each.
void test_wire() noexcept;
void test_layout() noexcept;
void test_vring() noexcept;
void test_bus() noexcept;

}  // namespace target

/// Counts, and goes on.
#define CHECK(...) ::target::check(static_cast<bool>(__VA_ARGS__), __FILE__ ": " #__VA_ARGS__, __LINE__)
