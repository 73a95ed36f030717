#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/platform/linux/time_left.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/policy/wait.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

namespace rpmsg::platform {

/// Makes an eventfd, silent, nonblocking and closed on exec: one for each side that sleeps.
///
/// @return  errc::system when there are too many files.
inline result<file_descriptor> make_eventfd() noexcept
{
    file_descriptor made{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!made)
        return errc::system;
    return made;
}

/// Wakes the peer by one eventfd for both vrings: the one it sleeps on.
///
/// Rings that come before the peer looks are merged by the kernel. One system call a ring. Both sides
/// hold the same open file: a peer that makes it blocking on purpose, and fills it, can stop ring();
/// where the peer is not to be trusted that far, take futex_doorbell.
///
/// @context Any thread or signal handler; leaves errno as it was.
class eventfd_doorbell : public policy::doorbell_defaults {
public:
    static constexpr bool is_level = true;
    static constexpr bool needs_ack = true;

    /// Rings nobody.
    constexpr eventfd_doorbell() noexcept = default;
    /// @param peers  The peer's eventfd; stays the caller's and open as long as this rings.
    explicit constexpr eventfd_doorbell(const file_descriptor& peers) noexcept : fd_{peers.get()} {}

    void ring(policy::vring_id /*which*/) noexcept { ring(); }

    void ring() noexcept
    {
        if (fd_ < 0)
            return;
        const int before = errno;
        const std::uint64_t once = 1;
        // EAGAIN: it has been rung 2^64 - 2 times and not looked at, so the peer is awake anyway.
        static_cast<void>(retried([&] { return ::write(fd_, &once, sizeof once); }));
        errno = before;
    }

private:
    int fd_ = -1;
};
static_assert(policy::doorbell<eventfd_doorbell>);

/// The threads of this side that sleep on its eventfd; eventfd_wait is the handle to it.
///
/// A ring is for all of them, but whoever reads the eventfd takes it away from the others. So one thread
/// leads: it alone reads and polls the file, while the others wait for its word. When the leader goes,
/// for whatever reason, they are all woken and one of them leads on.
///
/// @context Any thread, several at a time. Outlives its handles; does not move.
class eventfd_waiters {
public:
    /// @param own  The eventfd that the peer rings; stays the caller's and open as long as this lives.
    explicit eventfd_waiters(const file_descriptor& own) noexcept : bell_{own} {}
    eventfd_waiters(const eventfd_waiters&) = delete;
    eventfd_waiters& operator=(const eventfd_waiters&) = delete;
    ~eventfd_waiters() = default;

    /// The file to put into one's own epoll or poll (POLLIN): when it is readable, drain(), then poll the bus.
    [[nodiscard]] int fd() const noexcept { return bell_.get(); }

    /// Takes back the rings so far, unless a thread sleeps here: then it is being woken by them.
    void drain() noexcept
    {
        const std::lock_guard hold{mutex_};
        if (!led_)
            take_rings();
    }

    /// Wakes the threads that sleep, as the peer's ring would: to stop a loop, say.
    void wake() noexcept { eventfd_doorbell{bell_}.ring(); }

    /// From now on this file wakes them too, once: a pidfd (process::watched()), so that nobody sleeps on
    /// when the peer has died.
    ///
    /// @param what  A file and its poll events. Stays open until it has fired or another one is named.
    void wake_once_on(::pollfd what) noexcept
    {
        {
            const std::lock_guard hold{mutex_};
            also_ = what;
            ++also_version_;
        }
        wake();  // the leader has the old one in its hands
    }

private:
    friend class eventfd_wait;
    using time = std::chrono::steady_clock;

    /// One thread's stay, from before it asks whether it may sleep.
    class stay {
    public:
        explicit stay(eventfd_waiters& all) noexcept : all_{all}
        {
            const std::lock_guard hold{all_.mutex_};
            if (!all_.led_)
                lead();
            // What was rung up to here is what ready() is going to see.
            if (leads_)
                all_.take_rings();
            seen_ = all_.rings_;
        }
        stay(const stay&) = delete;
        stay& operator=(const stay&) = delete;
        ~stay()
        {
            if (!leads_)
                return;
            {
                const std::lock_guard hold{all_.mutex_};
                all_.led_ = false;
                if (rung_)
                    ++all_.rings_;
                if (also_fired_ && all_.also_version_ == also_version_)
                    all_.also_.fd = -1;
            }
            // A ring is for all of them; if there was none, one of them leads on.
            all_.changed_.notify_all();
        }

        /// Sleeps until a ring since the stay began, or `when`.
        void sleep(time::time_point when) noexcept
        {
            if (!leads_) {
                std::unique_lock hold{all_.mutex_};
                all_.changed_.wait_until(hold, when, [this] { return all_.rings_ != seen_ || !all_.led_; });
                if (all_.rings_ != seen_ || all_.led_)
                    return;
                lead();  // without taking rings: poll() is to see them
            }
            poll_until(when);
        }

    private:
        void lead() noexcept
        {
            all_.led_ = true;
            leads_ = true;
            also_ = all_.also_;
            also_version_ = all_.also_version_;
        }

        void poll_until(time::time_point when) noexcept
        {
            const auto timeout = to_timespec(when - time::now());
            std::array files{::pollfd{all_.bell_.get(), POLLIN, 0}, also_};
            // Interrupted or failed: "for no reason at all" is the contract's.
            rung_ = ::ppoll(files.data(), files.size(), &timeout, nullptr) > 0;
            also_fired_ = rung_ && files[1].revents != 0;
        }

        eventfd_waiters& all_;
        std::uint64_t seen_ = 0;
        ::pollfd also_{};
        std::uint32_t also_version_ = 0;
        bool leads_ = false;
        bool rung_ = false;
        bool also_fired_ = false;
    };

    /// @pre mutex_ is held and no other thread is in poll().
    void take_rings() noexcept
    {
        std::uint64_t count = 0;
        const ::iovec into{&count, sizeof count};
        // Not a plain read(): the peer has the same open file and could make it blocking.
        auto got = retried([&] { return ::preadv2(bell_.get(), &into, 1, -1, RWF_NOWAIT); });
        if (got < 0 && errno == EOPNOTSUPP)  // before Linux 5.8
            got = retried([&] { return ::read(bell_.get(), &count, sizeof count); });
        if (got > 0) {
            ++rings_;
            changed_.notify_all();
        }
    }

    const file_descriptor& bell_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t rings_ = 0;  ///< Counts up whenever the threads that wait are to look again.
    ::pollfd also_{-1, 0, 0};
    std::uint32_t also_version_ = 0;  ///< File numbers come again; this one does not.
    bool led_ = false;                ///< A thread leads: nobody else touches the eventfd.
};

/// Sleeps on this side's eventfd. Copies share the eventfd_waiters they were made from.
///
/// @context Several threads may sleep at once; no ring is lost to any of them.
class eventfd_wait {
public:
    /// Does not sleep, as policy::spin.
    constexpr eventfd_wait() noexcept = default;
    explicit constexpr eventfd_wait(eventfd_waiters& threads) noexcept : threads_{&threads} {}

    /// @param ready  Asked once, after the rings so far were taken back: a later ring ends the sleep.
    /// @param until  Of any clock.
    template <typename Ready, policy::clock Clock>
    void sleep(Ready&& ready, policy::deadline<Clock> until) noexcept
    {
        if (threads_ == nullptr)
            return;
        eventfd_waiters::stay here{*threads_};
        if (ready())
            return;
        const auto left = time_left(until);
        if (left.count() > 0)
            here.sleep(eventfd_waiters::time::now() + left);
    }

    /// See eventfd_waiters::fd(); -1 when there is none.
    [[nodiscard]] int fd() const noexcept { return threads_ != nullptr ? threads_->fd() : -1; }

private:
    eventfd_waiters* threads_ = nullptr;
};
static_assert(policy::wait<eventfd_wait>);

}  // namespace rpmsg::platform
