#pragma once

#include <rpmsg/config.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>

namespace rpmsg::platform {

/// Registers of 32 bits, and what orders them against memory.
///
/// The models of doorbells and caches reach registers through a model of this and in no other way, so that
/// a test can stand in for the machine: testing::recording_registers.
///
/// @context Thread or ISR; never blocks.
template <typename T>
concept registers = requires(std::uintptr_t address, std::uint32_t value) {
    /// One load of 32 bits, at an address that is a multiple of 4.
    { T::read(address) } noexcept -> std::same_as<std::uint32_t>;
    /// One store of 32 bits.
    { T::write(address, value) } noexcept -> std::same_as<void>;
    /// What was stored to memory is visible before registers are written after this: before a doorbell.
    { T::memory_before_write() } noexcept -> std::same_as<void>;
    /// Registers were read and written before memory is read after this: between an acknowledgement and a
    /// look at the rings. A write may still be on its way to a peripheral that answers early; so a model
    /// reads a register of the same block back first.
    { T::access_before_memory() } noexcept -> std::same_as<void>;
};

/// The registers of this machine, where its memory map has them.
///
/// A doorbell needs more than what keeps memory in order: a store to a device may overtake those to memory.
/// On Arm that is a DSB, so that a mailbox interrupts nobody who does not see the memory yet; on RISC-V a
/// fence with `o` and `i`, since fences for memory say nothing of devices.
///
/// Source: Arm PRD03-GENC-007826 "Barrier Litmus Tests and Cookbook", 7 "Sending Interrupts and Barriers"
/// Source: RISC-V Unprivileged ISA 20191213, 2.7 "Memory Ordering Instructions"
struct mmio {
    [[nodiscard]] static std::uint32_t read(std::uintptr_t address) noexcept
    {
        return *reinterpret_cast<const volatile std::uint32_t*>(address);
    }
    static void write(std::uintptr_t address, std::uint32_t value) noexcept
    {
        *reinterpret_cast<volatile std::uint32_t*>(address) = value;
    }
    static void memory_before_write() noexcept
    {
        using enum config::architecture;
        if constexpr (config::target == aarch64 || config::target == arm)
            asm volatile("dsb sy" ::: "memory");
        else if constexpr (config::target == riscv)
            asm volatile("fence w, o" ::: "memory");
        else
            std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    static void access_before_memory() noexcept
    {
        using enum config::architecture;
        if constexpr (config::target == aarch64 || config::target == arm)
            asm volatile("dsb sy" ::: "memory");
        else if constexpr (config::target == riscv)
            asm volatile("fence io, rw" ::: "memory");
        else
            std::atomic_thread_fence(std::memory_order_seq_cst);
    }
};
static_assert(registers<mmio>);

/// Writes a register that takes a signal back, and goes on when memory is read after that.
///
/// @param look  A register of the same block that may be read at any time.
template <registers Registers>
void write_before_memory(std::uintptr_t address, std::uint32_t value, std::uintptr_t look) noexcept
{
    Registers::write(address, value);
    static_cast<void>(Registers::read(look));  // comes back when the write has got there
    Registers::access_before_memory();
}

}  // namespace rpmsg::platform
