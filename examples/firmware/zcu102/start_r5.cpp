// Start-up of the R5: stacks, .data, .bss, main(). MPU and caches stay off. It begins anew in the same way.
#include "machine.hpp"

#include <cstdint>

int main();

extern "C" {
extern std::uint32_t data_load, data_begin, data_end, bss_begin, bss_end;

[[gnu::used, gnu::interrupt("IRQ")]] void interrupt() noexcept { machine::doorbell_rang(); }
[[gnu::used]] void fault() noexcept { machine::finish(4); }

[[noreturn, gnu::used]] void begin() noexcept
{
    const auto* from = &data_load;
    for (auto* to = &data_begin; to != &data_end; ++to, ++from)
        *to = *from;
    for (auto* to = &bss_begin; to != &bss_end; ++to)
        *to = 0;
    main();
    machine::finish(3);
}
}

asm(R"(
    .section .start, "ax"
    .global start
    .arm
start:
    cps #0x12
    ldr sp, =irq_stack_top
    cps #0x13
    ldr sp, =stack_top
    b begin
    .ltorg

    .section .vectors, "ax"
    ldr pc, 0f
    ldr pc, 1f
    ldr pc, 1f
    ldr pc, 1f
    ldr pc, 1f
    ldr pc, 1f
    ldr pc, 2f
    ldr pc, 1f
0:  .word start
1:  .word fault
2:  .word interrupt
    .section .text
)");

void machine::start_device() noexcept {}
std::uint32_t machine::instructions() noexcept { return 0; }
void machine::restart() noexcept
{
    asm volatile("cpsid i\n b start" ::: "memory");
    for (;;) {}
}
