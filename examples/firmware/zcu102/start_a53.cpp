// Start-up of the A53: stack, vectors, .data, .bss, main(). MMU and caches stay off.
#include "machine.hpp"

#include <cstdint>

int main();

extern "C" {
extern std::uint32_t data_load, data_begin, data_end, bss_begin, bss_end;

[[gnu::used]] void interrupt() noexcept
{
    const auto which = rpmsg::platform::mmio::read(machine::gic + 0x1'000C);
    machine::doorbell_rang();
    rpmsg::platform::mmio::write(machine::gic + 0x1'0010, which);
}
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
start:
    ldr x0, =stack_top
    mov sp, x0
    ldr x0, =exceptions
    msr vbar_el1, x0
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    isb
    b begin

    .balign 2048
exceptions:
    .rept 5
    b fault
    .balign 128
    .endr
    stp x29, x30, [sp, #-176]!
    stp x0, x1, [sp, #16]
    stp x2, x3, [sp, #32]
    stp x4, x5, [sp, #48]
    stp x6, x7, [sp, #64]
    stp x8, x9, [sp, #80]
    stp x10, x11, [sp, #96]
    stp x12, x13, [sp, #112]
    stp x14, x15, [sp, #128]
    stp x16, x17, [sp, #144]
    str x18, [sp, #160]
    bl interrupt
    ldr x18, [sp, #160]
    ldp x16, x17, [sp, #144]
    ldp x14, x15, [sp, #128]
    ldp x12, x13, [sp, #112]
    ldp x10, x11, [sp, #96]
    ldp x8, x9, [sp, #80]
    ldp x6, x7, [sp, #64]
    ldp x4, x5, [sp, #48]
    ldp x2, x3, [sp, #32]
    ldp x0, x1, [sp, #16]
    ldp x29, x30, [sp], #176
    eret
    .balign 128
    .rept 10
    b fault
    .balign 128
    .endr
    .section .text
)");

void machine::start_device() noexcept
{
    register std::uint64_t x0 asm("x0") = 0xC400'0003;
    register std::uint64_t x1 asm("x1") = 4;            // the first R5
    register std::uint64_t x2 asm("x2") = 0x0010'0000;  // its start
    register std::uint64_t x3 asm("x3") = 0;
    asm volatile("dsb sy\n smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    if (x0 != 0)
        finish(5);
}
std::uint32_t machine::instructions() noexcept
{
    std::uint64_t count = 0;
    asm volatile("isb\n mrs %0, cntvct_el0" : "=r"(count));
    return static_cast<std::uint32_t>(count * 16);
}
void machine::restart() noexcept { finish(6); }
