#pragma once

#include <cstdint>

/// What the headers of a chip's vendor have: here for a Cortex-M with a mailbox.
namespace chip {

inline constexpr std::uint32_t shared_memory = 0x2001'0000;
inline constexpr std::uint32_t shared_memory_size = 0x1'0000;

inline volatile std::uint32_t& register_at(std::uint32_t address) noexcept
{
    return *reinterpret_cast<volatile std::uint32_t*>(address);
}

/// A store to the mailbox interrupts the other core, which can read the word.
inline void ring_mailbox(std::uint32_t word = 0) noexcept { register_at(0x4000'C000) = word; }

inline void mask_interrupts() noexcept { asm volatile("cpsid i" ::: "memory"); }
inline void unmask_interrupts() noexcept { asm volatile("cpsie i" ::: "memory"); }
/// Masks and says whether they were masked before: what restore_interrupts() takes.
inline std::uint32_t save_and_mask_interrupts() noexcept
{
    std::uint32_t before = 0;
    asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(before)::"memory");
    return before;
}
inline void restore_interrupts(std::uint32_t before) noexcept
{
    asm volatile("msr primask, %0" ::"r"(before) : "memory");
}
/// 0 in threads, else the number of the exception that runs.
inline std::uint32_t active_exception() noexcept
{
    std::uint32_t number = 0;
    asm volatile("mrs %0, ipsr" : "=r"(number));
    return number;
}
/// Returns when an interrupt is pending, masked or not.
inline void wait_for_interrupt() noexcept { asm volatile("wfi" ::: "memory"); }

inline void clean_cache_line(const void* line) noexcept
{
    register_at(0xE000'EF68) = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(line));
}
inline void invalidate_cache_line(const void* line) noexcept
{
    register_at(0xE000'EF5C) = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(line));
}
inline void finish_cache_operations() noexcept { asm volatile("dsb sy" ::: "memory"); }

/// Counted by the system tick's interrupt.
inline volatile std::uint32_t milliseconds = 0;

}  // namespace chip
