#pragma once

#include <rpmsg/policy/exclusion.hpp>

#include <cstdint>
#include <mutex>
#include <thread>

namespace rpmsg::platform {

/// Tells threads apart by where each has its own variable.
///
/// @context Any thread, not a signal handler.
struct this_thread_self {
    /// Not 0, and different in threads that live at the same time.
    static std::uintptr_t context() noexcept
    {
        static thread_local char mine = 0;
        return reinterpret_cast<std::uintptr_t>(&mine);
    }
    static void relax() noexcept { std::this_thread::yield(); }
};

/// Any thread of the process may call the bus at any time; the bookkeeping is under a std::mutex.
///
/// @context Threads, not signal handlers: one that interrupts a holder would wait for itself.
using thread_exclusion = policy::lockable<std::mutex, this_thread_self>;
static_assert(policy::exclusion<thread_exclusion>);
static_assert(!thread_exclusion::isr_safe && thread_exclusion::others_progress);

}  // namespace rpmsg::platform
