/* Cortex-R: it begins at the first instruction, in Arm state, and semihosting. Exceptions go to the high vectors. */
    .arm

    .section .vectors, "ax"
    .global entry
entry:
    ldr sp, =stack_top
    b reset
    .ltorg

/* Put at 0xFFFF0000. No test expects an exception: QEMU says so and ends, with status 1. */
    .section .high_vectors, "ax"
    .rept 8
    b fault
    .endr
fault:
    mov r0, #0x04
    ldr r1, =1f
    svc 0x123456
    mov r0, #0x18
    ldr r1, =0x20023
    svc 0x123456
    b fault
    .ltorg
1:  .asciz "an exception\n"

    .text
/* std::uint32_t semihosting(std::uint32_t operation, const void* argument) */
    .global semihosting
    .type semihosting, %function
semihosting:
    push {lr}
    svc 0x123456
    pop {pc}
