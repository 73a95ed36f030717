/* Cortex-M: the vector table, which the processor begins with, and semihosting. */
    .syntax unified
    .thumb

    .section .vectors, "a"
    .word stack_top
    .word reset
    .rept 14
    .word fault
    .endr

    .text
/* std::uint32_t semihosting(std::uint32_t operation, const void* argument) */
    .global semihosting
    .type semihosting, %function
    .thumb_func
semihosting:
    bkpt 0xab
    bx lr

/* No test expects an exception: QEMU says so and ends, with status 1. */
    .type fault, %function
    .thumb_func
fault:
    movs r0, #0x04
    ldr r1, =1f
    bkpt 0xab
    movs r0, #0x18
    ldr r1, =0x20023
    bkpt 0xab
    b fault
    .ltorg
1:  .asciz "an exception\n"
