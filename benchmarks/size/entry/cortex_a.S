/* AArch64 begins at the first instruction. */
    .section .vectors, "ax"
    ldr x0, =stack_top
    mov sp, x0
    b reset
    .ltorg
