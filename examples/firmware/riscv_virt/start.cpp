// Start-up for either hart: stack, trap vector, .data, .bss, main(). The second one sleeps until it is rung.
#include "machine.hpp"

#include <cstdint>

int main();

extern "C" {
extern std::uint32_t stack_top, data_load, data_begin, data_end, bss_begin, bss_end;

[[gnu::interrupt, gnu::aligned(4)]] void trap() noexcept
{
    std::intptr_t cause = 0;
    asm volatile("csrr %0, mcause" : "=r"(cause));
    if (cause >= 0)  // no interrupt
        machine::finish(4);
    machine::doorbell_rang();
}

[[noreturn, gnu::used]] void begin() noexcept
{
    asm volatile("csrci mstatus, 8\n csrw mtvec, %0" : : "r"(trap) : "memory");
    const auto* from = &data_load;
    for (auto* to = &data_begin; to != &data_end; ++to, ++from)
        *to = *from;
    for (auto* to = &bss_begin; to != &bss_end; ++to)
        *to = 0;
    main();
    machine::finish(3);
}
}

// The loader starts each hart here, in its own image.
asm(R"(
    .section .start, "ax"
    .global start
start:
    la sp, stack_top
    csrr t0, mhartid
    beqz t0, 1f
    csrsi mie, 8
0:  wfi
    li t1, 0x02000004
    lw t2, 0(t1)
    beqz t2, 0b
    sw zero, 0(t1)
1:  j begin
    .section .text
)");

void machine::restart() noexcept
{
    asm volatile("la sp, stack_top\n j begin" ::: "memory");
    for (;;) {}
}
