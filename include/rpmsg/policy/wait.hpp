#pragma once

#include <rpmsg/policy/clock.hpp>

#include <concepts>

namespace rpmsg::policy {

/// Sleeps until there is something to do.
///
/// `sleep(ready, until)` returns when a doorbell rang, when `until` has passed, when ready() is true,
/// or for no reason at all. It asks ready() after the point from which on a doorbell would wake it
/// (interrupts masked before WFI, the futex word read before), so none is lost in between.
///
/// @context Threads only, never an ISR; no lock is held.
template <typename T>
concept wait = requires(T model, bool (*ready)() noexcept, deadline<no_clock> until) {
    { model.sleep(ready, until) } noexcept -> std::same_as<void>;
};

/// Does not sleep: the caller looks again at once.
struct spin {
    template <typename Ready, typename Deadline>
    constexpr void sleep(Ready&& /*ready*/, Deadline /*until*/) noexcept
    {}
};
static_assert(wait<spin>);

/// Calls a function between looks: an RTOS yield, WFE, a watchdog's reload.
template <void (*Function)() noexcept>
struct yielding {
    template <typename Ready, typename Deadline>
    void sleep(Ready&& ready, Deadline /*until*/) noexcept
    {
        if (!ready())
            Function();
    }
};

}  // namespace rpmsg::policy
