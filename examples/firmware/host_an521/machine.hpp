#pragma once

/// @file
/// A Linux process that drives (CORE 0), and the firmware of a Cortex-M33 that is its device (CORE 1). The process
/// starts QEMU; the RAM of the board is a file that it maps, and the doorbell is a byte from or to the board's UART1,
/// which is a socket of the process's.

#if CORE == 0
#include "process.hpp"
#else
#include "board.hpp"

#include "../support/semihosting.hpp"

struct machine : an521_by_uart {
    static void say(const char* what) noexcept
    {
        semihosting::write(what);
        semihosting::write("\n");
    }
    [[noreturn]] static void finish(std::uint32_t status) noexcept { semihosting::end(status); }
    /// As after a reset of this core alone.
    [[noreturn]] static void restart() noexcept;
};
#endif
