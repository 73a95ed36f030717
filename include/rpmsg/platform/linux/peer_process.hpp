#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/policy/lifecycle.hpp>
#include <rpmsg/result.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

namespace rpmsg::platform {

/// Keeps an eye on the peer's process; peer_process is the handle to it.
///
/// @context Any thread, several at a time. Outlives its handles; does not move.
class process {
public:
    /// Watches nobody: policy::peer_life::unknown.
    process() noexcept = default;
    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process() = default;

    /// Watches this process from now on. If one was watched before, the peer has `restarted`, which
    /// peer() says once.
    ///
    /// A pid is reused some time after its process was reaped: it names the right one for sure only if it
    /// is a child that this process has not reaped yet. Otherwise hand in a pidfd or a socket.
    ///
    /// @return  errc::system: no such process (ESRCH), or too many files.
    result<void> watch(::pid_t pid) noexcept
    {
        file_descriptor whom{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
        if (!whom)
            return errc::system;
        return watch(std::move(whom));
    }

    /// The same by a file: a pidfd, or a connected socket whose other end only the peer holds, so that it
    /// hangs up when the peer dies.
    ///
    /// @return  errc::system when it is no open file.
    result<void> watch(file_descriptor whom) noexcept
    {
        struct ::stat about{};
        if (::fstat(whom.get(), &about) != 0)
            return errc::system;

        const std::lock_guard hold{mutex_};
        if (whom_)
            news_.store(true, std::memory_order_relaxed);
        whom_ = std::move(whom);
        // A socket may be readable for other reasons; a pidfd is only when its process has ended.
        events_ = S_ISSOCK(about.st_mode) ? short{POLLRDHUP} : short{POLLIN};
        looked_at_.store(never, std::memory_order_relaxed);
        // Pairs with the acquire in peer(): who sees the new process alive sees the news before.
        state_.store(policy::peer_life::alive, std::memory_order_release);
        return {};
    }

    /// Whether it lives: `unknown` until somebody is watched, then `alive`, then `gone` until the next watch.
    ///
    /// Asks the kernel at most once per tick of the coarse clock (1 to 10 ms): it is called at each poll.
    policy::peer_life peer() noexcept
    {
        const auto state = state_.load(std::memory_order_acquire);  // pairs with the release in watch()
        if (news_.load(std::memory_order_relaxed) && news_.exchange(false, std::memory_order_relaxed))
            return policy::peer_life::restarted;
        if (state != policy::peer_life::alive)
            return state;
        const auto now = coarse_now();
        if (looked_at_.load(std::memory_order_relaxed) == now)
            return state;
        return look(now);
    }

    /// The file and events by which one's own poll or epoll, or eventfd_waiters::wake_once_on(), hears of the
    /// end at once; still owned here, and closed by the next watch(). fd -1 when nobody is watched.
    [[nodiscard]] ::pollfd watched() const noexcept
    {
        const std::lock_guard hold{mutex_};
        return {whom_.get(), events_, 0};
    }

private:
    static constexpr std::uint64_t never = ~std::uint64_t{};

    static std::uint64_t coarse_now() noexcept
    {
        ::timespec time{};
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
        return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
               static_cast<std::uint64_t>(time.tv_nsec);
    }

    policy::peer_life look(std::uint64_t now) noexcept
    {
        const std::lock_guard hold{mutex_};
        ::pollfd what{whom_.get(), events_, 0};
        if (retried([&] { return ::poll(&what, 1, 0); }) > 0)
            state_.store(policy::peer_life::gone, std::memory_order_relaxed);
        looked_at_.store(now, std::memory_order_relaxed);
        return state_.load(std::memory_order_relaxed);
    }

    mutable std::mutex mutex_;
    file_descriptor whom_;
    short events_ = 0;
    // Written under the mutex; read without it, where a stale answer is as good.
    std::atomic<policy::peer_life> state_{policy::peer_life::unknown};
    std::atomic<std::uint64_t> looked_at_{never};
    std::atomic<bool> news_{false};
};

/// Tells whether the peer's process is alive. Copies ask the same `process`.
///
/// @context Any thread; a few ns, and a system call now and then (process::peer()).
class peer_process {
public:
    static constexpr bool ever_knows = true;

    /// Knows nothing.
    constexpr peer_process() noexcept = default;
    explicit constexpr peer_process(process& whom) noexcept : whom_{&whom} {}

    policy::peer_life peer() noexcept
    {
        return whom_ != nullptr ? whom_->peer() : policy::peer_life::unknown;
    }

private:
    process* whom_ = nullptr;
};
static_assert(policy::lifecycle<peer_process>);

}  // namespace rpmsg::platform
