#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace rpmsg::policy {

/// Decides which contexts (threads, interrupts) may call the bus at the same time.
///
/// It covers the bookkeeping of indices, slots and lists only: a handful of instructions, never a copy
/// of a payload and never user code.
///
/// - `enter()` returns what `leave()` takes: the interrupt mask as it was, or nothing.
/// - `context()` tells contexts apart: equal within one, different between two that may interleave.
/// - `isr_safe`: the calls that never wait may be made from interrupts.
/// - `others_progress`: while we wait, the other contexts go on (threads), so close() can wait for a
///   receiver that another one runs. False where the other one is what we interrupted.
///
/// @context Whatever the model admits.
template <typename T>
concept exclusion = requires(T model, typename T::state before) {
    { T::isr_safe } -> std::convertible_to<bool>;
    { T::others_progress } -> std::convertible_to<bool>;
    { model.enter() } noexcept -> std::same_as<typename T::state>;
    { model.leave(before) } noexcept -> std::same_as<void>;
    { model.context() } noexcept -> std::same_as<std::uintptr_t>;
    { model.relax() } noexcept -> std::same_as<void>;  ///< Lets others go on, when `others_progress`.
};

/// One context makes all calls.
struct no_exclusion {
    struct state {};
    static constexpr bool isr_safe = false;
    static constexpr bool others_progress = false;
    constexpr state enter() noexcept { return {}; }
    constexpr void leave(state /*before*/) noexcept {}
    constexpr std::uintptr_t context() noexcept { return 0; }
    constexpr void relax() noexcept {}
};
static_assert(exclusion<no_exclusion>);

/// Threads exclude each other with any Lockable, and tell themselves apart by the address of `Self`.
///
/// @tparam Lock  A Lockable: std::mutex, an RTOS mutex, spin_lock.
/// @tparam Self  Has a static `context()` that is different in each thread, and `relax()` that yields.
template <typename Lock, typename Self>
class lockable {
public:
    struct state {};
    static constexpr bool isr_safe = false;
    static constexpr bool others_progress = true;

    constexpr lockable() noexcept = default;
    state enter() noexcept
    {
        lock_.lock();
        return {};
    }
    void leave(state /*before*/) noexcept { lock_.unlock(); }
    std::uintptr_t context() noexcept { return Self::context(); }
    void relax() noexcept { Self::relax(); }

private:
    Lock lock_;
};

/// A Lockable that spins: for cores that share normal memory and hold it for a few instructions.
///
/// Needs an atomic exchange of private memory (not on Armv6-M).
class spin_lock {
public:
    constexpr spin_lock() noexcept = default;
    // Pairs with the release in unlock(): what the last holder wrote is visible to the next.
    void lock() noexcept
    {
        while (taken_.exchange(true, std::memory_order_acquire))
            while (taken_.load(std::memory_order_relaxed)) {}
    }
    void unlock() noexcept { taken_.store(false, std::memory_order_release); }  // pairs with lock()

private:
    std::atomic<bool> taken_{false};
};

/// One processor, threads and interrupts: the interrupts are masked meanwhile.
///
/// @tparam Mask  `static state save_and_mask()`, `static void restore(state)` and
///               `static std::uintptr_t context()` (the active exception's number, say); all noexcept.
template <typename Mask>
struct interrupt_mask {
    using state = decltype(Mask::save_and_mask());
    static constexpr bool isr_safe = true;
    static constexpr bool others_progress = false;

    state enter() noexcept { return Mask::save_and_mask(); }
    void leave(state before) noexcept { Mask::restore(before); }
    std::uintptr_t context() noexcept { return Mask::context(); }
    constexpr void relax() noexcept {}
};

/// Whether another context can come in between two calls: there is none beside no_exclusion's.
template <exclusion T>
inline constexpr bool is_concurrent = !std::is_same_v<T, no_exclusion>;

/// Holds an exclusion from here to the end of the scope.
template <exclusion T>
class [[nodiscard]] scope {
public:
    [[nodiscard]] explicit constexpr scope(T& model) noexcept : model_{model}, before_{model.enter()} {}
    constexpr ~scope() { model_.leave(before_); }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

private:
    T& model_;
    [[no_unique_address]] typename T::state before_;
};

}  // namespace rpmsg::policy
