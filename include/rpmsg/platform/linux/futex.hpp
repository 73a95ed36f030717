#pragma once

#include <rpmsg/platform/linux/time_left.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/policy/wait.hpp>
#include <rpmsg/result.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rpmsg::platform {

/// Where one side sleeps: two words in shared memory, on a cache line of their own.
///
/// Any contents will do to begin with, zero too. Neither word is trusted: one only has to differ from
/// what it was, the other one decides about a system call.
struct alignas(64) futex_bell {
    std::uint32_t rings;     ///< Counts up and around: written by the side that wakes.
    std::uint32_t sleepers;  ///< Threads asleep or about to be: written by the side that sleeps here.
};

/// The two bells of a link, anywhere in the shared memory, aligned to 64 bytes.
struct futex_words {
    futex_bell wakes_driver;
    futex_bell wakes_device;
};
static_assert(std::is_standard_layout_v<futex_words> && std::is_trivially_copyable_v<futex_words>);
static_assert(sizeof(futex_words) == 128 && offsetof(futex_bell, sleepers) == 4);
static_assert(std::atomic_ref<std::uint32_t>::is_always_lock_free, "processes share no locks");

/// The bells at an offset of the shared memory.
///
/// @return  errc::out_of_map when they do not fit, errc::misaligned when not at a multiple of 64 bytes.
inline result<futex_words*> futex_words_at(std::span<std::byte> memory, std::size_t offset) noexcept
{
    if (offset > memory.size() || memory.size() - offset < sizeof(futex_words))
        return errc::out_of_map;
    std::byte* const at = memory.data() + offset;
    if (reinterpret_cast<std::uintptr_t>(at) % alignof(futex_words) != 0)
        return errc::misaligned;
    return reinterpret_cast<futex_words*>(at);
}

/// Wakes the peer by a word in shared memory that it sleeps on; a system call only if somebody sleeps.
///
/// No peer can make ring() wait: it writes a word, reads one, and wakes.
///
/// @context Any thread or signal handler, several at a time; leaves errno as it was.
class futex_doorbell : public policy::doorbell_defaults {
public:
    /// Without sleepers ringing is one locked instruction, which the full barrier before asking is too.
    static constexpr bool always_ring = true;

    /// Rings nobody.
    constexpr futex_doorbell() noexcept = default;
    /// @param peers  The bell that the peer sleeps on; stays mapped as long as this rings.
    explicit constexpr futex_doorbell(futex_bell& peers) noexcept : bell_{&peers} {}

    void ring(policy::vring_id /*which*/) noexcept { ring(); }

    void ring() noexcept
    {
        if (bell_ == nullptr)
            return;
        // First count, then look for sleepers; futex_wait::sleep() first says that it sleeps, then has the
        // kernel look at the count. All four are in one order (seq_cst), so one sees the other: either we
        // wake it, or FUTEX_WAIT finds another count and returns. Also the release for the acquire there:
        // whoever sees the new count sees what was published before it.
        std::atomic_ref{bell_->rings}.fetch_add(1, std::memory_order_seq_cst);
        if (std::atomic_ref{bell_->sleepers}.load(std::memory_order_seq_cst) == 0)
            return;
        const int before = errno;
        ::syscall(SYS_futex, &bell_->rings, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
        errno = before;
    }

private:
    futex_bell* bell_ = nullptr;
};
static_assert(policy::doorbell<futex_doorbell>);

/// Sleeps on this side's bell. Copies sleep on the same one.
///
/// There is no file to poll: who has an event loop takes eventfd_wait.
///
/// @context Several threads may sleep at once; a ring wakes them all. A thread of this side is woken by
///          ringing its own bell: `futex_doorbell{own}.ring()`.
class futex_wait {
public:
    /// Does not sleep, as policy::spin.
    constexpr futex_wait() noexcept = default;
    /// @param own  The bell that the peer rings; stays mapped as long as this sleeps.
    explicit constexpr futex_wait(futex_bell& own) noexcept : bell_{&own} {}

    /// Says that nobody sleeps on this side's bell: for one that takes the place of a process that was
    /// killed in its sleep and left its count, so that each ring is a system call from then on.
    ///
    /// @pre No thread of this side sleeps on it.
    void forget_sleepers() noexcept
    {
        if (bell_ != nullptr)
            std::atomic_ref{bell_->sleepers}.store(0, std::memory_order_seq_cst);
    }

    /// @param ready  Asked once, after the count was read: a later ring ends the sleep.
    /// @param until  Of any clock.
    template <typename Ready, policy::clock Clock>
    void sleep(Ready&& ready, policy::deadline<Clock> until) noexcept
    {
        if (bell_ == nullptr)
            return;
        // Pairs with the count in futex_doorbell::ring(): what came before that ring, ready() sees.
        const auto seen = std::atomic_ref{bell_->rings}.load(std::memory_order_seq_cst);
        if (ready())
            return;
        const auto left = time_left(until);
        if (left.count() > 0)
            sleep_while(seen, left);
    }

private:
    /// What SYS_futex takes: two longs, whatever time_t is.
    struct kernel_time {
        long seconds;
        long nanoseconds;
    };

    void sleep_while(std::uint32_t seen, std::chrono::nanoseconds left) noexcept
    {
        const auto time = to_timespec(left);
        const kernel_time timeout{static_cast<long>(time.tv_sec), static_cast<long>(time.tv_nsec)};
        // See futex_doorbell::ring(): first say so, then have the kernel look at the count.
        std::atomic_ref{bell_->sleepers}.fetch_add(1, std::memory_order_seq_cst);
        // Rung, rung meanwhile (EAGAIN), timed out, interrupted: the caller looks again in any case. The
        // timeout is CLOCK_MONOTONIC. Shared, not FUTEX_PRIVATE_FLAG: the one who wakes is elsewhere.
        ::syscall(SYS_futex, &bell_->rings, FUTEX_WAIT, seen, &timeout, nullptr, 0);
        std::atomic_ref{bell_->sleepers}.fetch_sub(1, std::memory_order_seq_cst);
    }

    futex_bell* bell_ = nullptr;
};
static_assert(policy::wait<futex_wait>);

}  // namespace rpmsg::platform
