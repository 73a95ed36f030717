#pragma once

#include <concepts>
#include <utility>

namespace rpmsg::platform {

/// The instructions that put a processor to sleep until an interrupt is pending.
template <typename T>
concept sleeping_cpu = requires(typename T::state before) {
    { T::save_and_mask() } noexcept -> std::same_as<typename T::state>;
    { T::restore(before) } noexcept -> std::same_as<void>;
    /// Returns when an interrupt is pending, masked or not: it would be taken if it were not masked so.
    { T::wait_for_interrupt() } noexcept -> std::same_as<void>;
    /// What restore() lets in has been taken when this returns.
    { T::take_pending() } noexcept -> std::same_as<void>;
};

/// Sleeps until an interrupt: a model of policy::wait, and what a main loop without deadlines calls.
///
/// It asks ready() with interrupts masked, and sleeps so: a doorbell that rings after the question stays
/// pending, and ends the sleep. Then interrupts are as they were before, and the pending one is taken.
///
/// It returns after any wake-up, and looks at the deadline before it sleeps, not while: something has to
/// interrupt for the deadline as well, the system tick say.
///
/// @tparam Cpu  Of the processor's family. What it masks must be all that is to wake it.
/// @context Threads only, with interrupts not masked: a handler that never runs takes no signal back.
template <sleeping_cpu Cpu>
struct interrupt_sleep {
    template <typename Ready, typename Deadline>
    void sleep(Ready&& ready, Deadline until) noexcept
    {
        unless([&]() noexcept { return ready() || until.passed(); });
    }

    /// The same without a deadline.
    template <typename Ready>
    static void unless(Ready&& ready) noexcept
    {
        const auto before = Cpu::save_and_mask();
        if (!std::forward<Ready>(ready)())
            Cpu::wait_for_interrupt();
        Cpu::restore(before);
        Cpu::take_pending();
    }
};

}  // namespace rpmsg::platform
