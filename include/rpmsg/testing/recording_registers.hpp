#pragma once

#include <rpmsg/testing/journal.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace rpmsg::testing {

/// Registers of a machine that is not there, and writes each access down.
///
/// What a model of platform::registers is asked for goes to the one of these that was made last and still
/// lives; recording_registers is that model. A register holds what was written to it, or 0.
///
/// @code
/// rpmsg::testing::journal log;
/// rpmsg::testing::fake_registers chip;
/// chip.when_written(clear, [&](std::uint32_t bits) { chip[status] &= ~bits; });
/// @endcode
///
/// @context One thread.
class fake_registers : private recorder {
public:
    fake_registers() : outer_{std::exchange(newest(), this)} {}
    ~fake_registers() { newest() = outer_; }
    fake_registers(const fake_registers&) = delete;
    fake_registers& operator=(const fake_registers&) = delete;

    /// The one that was made last and still lives, or nullptr.
    [[nodiscard]] static fake_registers* innermost() noexcept { return newest(); }

    /// What a register holds; the test's look and touch are not written down.
    [[nodiscard]] std::uint32_t& operator[](std::uintptr_t address) { return held_[address]; }
    /// Does something with what is written to a register, which then does not hold it.
    void when_written(std::uintptr_t address, std::function<void(std::uint32_t)> action)
    {
        written_[address] = std::move(action);
    }
    /// Does something before a register is read.
    void when_read(std::uintptr_t address, std::function<void()> action)
    {
        read_[address] = std::move(action);
    }

    std::uint32_t read(std::uintptr_t address)
    {
        refuse_misaligned(address);
        if (const auto found = read_.find(address); found != read_.end())
            found->second();
        const auto value = held_[address];
        write_down(event::read, pointer(address), value, sizeof value);
        return value;
    }
    void write(std::uintptr_t address, std::uint32_t value)
    {
        refuse_misaligned(address);
        write_down(event::write, pointer(address), value, sizeof value);
        if (const auto found = written_.find(address); found != written_.end())
            found->second(value);
        else
            held_[address] = value;
    }
    void memory_before_write() { write_down(event::before_write); }
    void access_before_memory() { write_down(event::before_memory); }

    /// An address as entries have it.
    [[nodiscard]] static const void* pointer(std::uintptr_t address) noexcept
    {
        return reinterpret_cast<const void*>(address);
    }

private:
    void write_down(event what, const void* where = nullptr, std::uint64_t value = 0,
                    std::uint64_t detail = 0)
    {
        recorder::write(what, where, value, detail);
    }
    void refuse_misaligned(std::uintptr_t address)
    {
        if (address % 4 != 0 && log() != nullptr)
            log()->write_mistake("a register's address is no multiple of 4", pointer(address));
    }

    static fake_registers*& newest() noexcept
    {
        static fake_registers* last_made = nullptr;
        return last_made;
    }

    fake_registers* outer_;
    std::map<std::uintptr_t, std::uint32_t> held_;
    std::map<std::uintptr_t, std::function<void(std::uint32_t)>> written_;
    std::map<std::uintptr_t, std::function<void()>> read_;
};

/// Hands every access to the fake_registers that were made last. Without any, reads give 0.
struct recording_registers {
    [[nodiscard]] static std::uint32_t read(std::uintptr_t address) noexcept
    {
        auto* const chip = fake_registers::innermost();
        return chip != nullptr ? chip->read(address) : 0;
    }
    static void write(std::uintptr_t address, std::uint32_t value) noexcept
    {
        if (auto* const chip = fake_registers::innermost())
            chip->write(address, value);
    }
    static void memory_before_write() noexcept
    {
        if (auto* const chip = fake_registers::innermost())
            chip->memory_before_write();
    }
    static void access_before_memory() noexcept
    {
        if (auto* const chip = fake_registers::innermost())
            chip->access_before_memory();
    }
};

}  // namespace rpmsg::testing
