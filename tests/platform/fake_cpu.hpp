#pragma once

#include "trace.hpp"

#include <cstdint>

namespace platform_test {

/// A processor that writes down its instructions.
struct fake_cpu {
    using state = std::uint32_t;
    static inline state masked = 0;
    static inline state saved = 0;
    static inline state restored = 0;

    static void reset() noexcept { masked = saved = restored = 0; }

    static state save_and_mask() noexcept
    {
        execute("save and mask");
        saved = masked;
        masked = 1;
        return saved;
    }
    static void restore(state before) noexcept
    {
        execute("restore");
        restored = masked = before;
    }
    static void wait_for_interrupt() noexcept { execute(masked != 0 ? "wait" : "wait with interrupts"); }
    static void take_pending() noexcept { execute("take pending"); }

    static void dsb() noexcept { execute("dsb"); }
    static void isb() noexcept { execute("isb"); }
    static void clean(const void* line) noexcept { execute("clean", line); }
    static void invalidate(const void* line) noexcept { execute("invalidate", line); }
    static void clean_and_invalidate(const void* line) noexcept { execute("clean and invalidate", line); }
};

/// Line i of some memory that begins at 0x1000, which nobody looks into.
inline const void* memory(std::uintptr_t offset) noexcept
{
    return reinterpret_cast<const void*>(0x1000 + offset);
}

}  // namespace platform_test
