/* RISC-V begins at the first instruction; gp is what the linker shortens addresses with. */
    .section .vectors, "ax"
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, stack_top
    j reset
