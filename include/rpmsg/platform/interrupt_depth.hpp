#pragma once

#include <cstdint>

namespace rpmsg::platform {

/// Tells threads from interrupts by a counter, where the processor itself does not know.
///
/// AArch64 takes an interrupt to the exception level it may come from, and RISC-V keeps no mark of being in
/// one: no register answers. So the board has a counter, and each handler that calls the bus stands in a
/// `handler`, from its first line on:
/// @code
/// constinit std::uintptr_t depth = 0;
/// using cpu = rpmsg::platform::counted<rpmsg::platform::riscv::cpu, depth>;
/// void software_interrupt() { const cpu::handler inside; …; bus.poll(); }
/// struct my_board : … { using exclusion = rpmsg::policy::interrupt_mask<cpu>; };
/// @endcode
///
/// @tparam Cpu    Has the instructions.
/// @tparam Depth  How many handlers are entered, on this processor alone: 0 in a thread.
template <typename Cpu, std::uintptr_t& Depth>
struct counted : Cpu {
    /// Equal within a thread or a handler, and different in what interrupts it.
    [[nodiscard]] static std::uintptr_t context() noexcept { return depth(); }

    /// One more level, to the end of the scope. A handler that interrupts this one leaves the counter as it was,
    /// so none is lost between its load and its store.
    class [[nodiscard]] handler {
    public:
        handler() noexcept { depth() = depth() + 1; }
        ~handler() { depth() = depth() - 1; }
        handler(const handler&) = delete;
        handler& operator=(const handler&) = delete;
    };

private:
    static volatile std::uintptr_t& depth() noexcept { return Depth; }
};

}  // namespace rpmsg::platform
