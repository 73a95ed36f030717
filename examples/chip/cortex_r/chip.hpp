#pragma once

#include <cstdint>

/// What the headers of a chip's vendor have: here for a Cortex-R with a mailbox.
namespace chip {

inline constexpr std::uint32_t shared_memory = 0x3ED0'0000;
inline constexpr std::uint32_t shared_memory_size = 0x1'0000;

inline volatile std::uint32_t& register_at(std::uintptr_t address) noexcept
{
    return *reinterpret_cast<volatile std::uint32_t*>(address);
}

/// A store to the mailbox interrupts the other core.
inline void ring_mailbox() noexcept { register_at(0xFF30'0000) = 1; }

inline void mask_interrupts() noexcept { asm volatile("cpsid i" ::: "memory"); }
inline void unmask_interrupts() noexcept { asm volatile("cpsie i" ::: "memory"); }
/// Returns when an interrupt is pending, masked or not.
inline void wait_for_interrupt() noexcept { asm volatile("wfi" ::: "memory"); }

}  // namespace chip
