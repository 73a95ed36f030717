#pragma once

#include <cstdint>

/// What the headers of a chip's vendor have: here for two RISC-V harts with a CLINT.
namespace chip {

inline constexpr std::uint32_t shared_memory = 0x8060'0000;
inline constexpr std::uint32_t shared_memory_size = 0x1'0000;

inline volatile std::uint32_t& register_at(std::uintptr_t address) noexcept
{
    return *reinterpret_cast<volatile std::uint32_t*>(address);
}

/// A store to its msip interrupts the other hart.
inline void ring_mailbox() noexcept { register_at(0x0200'0004) = 1; }

inline void mask_interrupts() noexcept { asm volatile("csrci mstatus, 8" ::: "memory"); }
inline void unmask_interrupts() noexcept { asm volatile("csrsi mstatus, 8" ::: "memory"); }
/// Returns when an interrupt is pending, masked or not.
inline void wait_for_interrupt() noexcept { asm volatile("wfi" ::: "memory"); }

}  // namespace chip
