#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// What an image says to the machine that runs it: text, and how it ended.
///
/// @spec Arm "Semihosting for AArch32 and AArch64"; RISC-V "Semihosting"
namespace semihosting {

inline std::uintptr_t call(std::uintptr_t operation, const void* what) noexcept
{
#if defined(__aarch64__)
    register std::uintptr_t x0 asm("x0") = operation;
    register const void* x1 asm("x1") = what;
    asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
    return x0;
#elif defined(__riscv)
    register std::uintptr_t a0 asm("a0") = operation;
    register const void* a1 asm("a1") = what;
    asm volatile(".balign 16\n .option push\n .option norvc\n slli x0, x0, 0x1f\n ebreak\n srai x0, x0, 7\n "
                 ".option pop"
                 : "+r"(a0)
                 : "r"(a1)
                 : "memory");
    return a0;
#elif defined(__thumb__)
    register std::uintptr_t r0 asm("r0") = operation;
    register const void* r1 asm("r1") = what;
    asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#else
    register std::uintptr_t r0 asm("r0") = operation;
    register const void* r1 asm("r1") = what;
    asm volatile("svc 0x123456" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#endif
}

/// Says a text.
inline void write(const char* text) noexcept { static_cast<void>(call(0x04, text)); }

/// Ends the machine with a status.
[[noreturn]] inline void end(std::uint32_t status) noexcept
{
    const std::array<std::uintptr_t, 2> why{0x20026, status};
    static_cast<void>(call(0x20, why.data()));
    for (;;) {}
}

/// Says a text and a number, and ends the line.
inline void write(const char* text, std::uint32_t number) noexcept
{
    std::array<char, 12> digits{};
    std::size_t at = digits.size() - 1;
    digits[--at] = '\n';
    do {
        digits[--at] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    write(text);
    write(&digits[at]);
}

}  // namespace semihosting
