/* Cortex-R begins at its first vector, in Arm state. */
    .section .vectors, "ax"
    .arm
    ldr sp, =stack_top
    ldr pc, =reset
    .ltorg
