// Start-up of the firmware: vectors, stack, .data, .bss, main(). It begins anew in the same way.
#include "machine.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

int main();

extern "C" {
extern std::uint32_t stack_top, data_load, data_begin, data_end, bss_begin, bss_end;

[[noreturn]] void reset() noexcept
{
    asm volatile("cpsid i" ::: "memory");
    const auto* from = &data_load;
    for (auto* to = &data_begin; to != &data_end; ++to, ++from)
        *to = *from;
    for (auto* to = &bss_begin; to != &bss_end; ++to)
        *to = 0;
    asm volatile("cpsie i" ::: "memory");
    main();
    machine::finish(3);
}
[[noreturn]] void fault() noexcept { machine::finish(4); }
}

struct vectors {
    std::uint32_t* stack;
    std::array<void (*)() noexcept, 15> exceptions;
    std::array<void (*)() noexcept, 44> interrupts;
};
constexpr auto interrupts = [] {
    std::array<void (*)() noexcept, 44> all{};
    all.fill(fault);
    all.back() = machine::doorbell_rang;
    return all;
};
[[gnu::section(".vectors"), gnu::used]] const vectors vector_table{
    &stack_top,
    {reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault},
    interrupts()};

void machine::restart() noexcept
{
    asm volatile("cpsid i\n msr msp, %0\n bx %1" : : "r"(&stack_top), "r"(reset) : "memory");
    for (;;) {}
}
