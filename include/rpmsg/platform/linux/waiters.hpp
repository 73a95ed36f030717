#pragma once

#include <rpmsg/platform/linux/time_left.hpp>
#include <rpmsg/policy/clock.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <poll.h>

namespace rpmsg::platform {

/// A file that becomes readable when the peer rings, and how the rings are taken back.
///
/// @context Any thread. waiters calls take() by one thread at a time, and never while another polls the file.
template <typename T>
concept bell = requires(T model, const T seen) {
    { seen.fd() } noexcept -> std::same_as<int>;
    {
        model.take()
    } noexcept -> std::same_as<bool>;  ///< Takes back the rings so far; whether there were any.
    { model.wake() } noexcept;         ///< Rings it from this side.
};

/// The threads of this side that sleep until its bell rings; shared_wait is the handle to it.
///
/// A ring is for all of them, but whoever takes it takes it away from the others. So one thread leads: it
/// alone takes rings and polls the file, while the others wait for its word. When the leader goes, for
/// whatever reason, they are all woken and one of them leads on.
///
/// @context Any thread, several at a time. Outlives its handles; does not move.
template <bell Bell>
class waiters {
public:
    explicit waiters(Bell rung) noexcept : bell_{rung} {}
    waiters(const waiters&) = delete;
    waiters& operator=(const waiters&) = delete;
    ~waiters() = default;

    /// The file to put into one's own epoll or poll (POLLIN): when it is readable, drain(), then poll the bus.
    [[nodiscard]] int fd() const noexcept { return bell_.fd(); }

    /// Takes back the rings so far, unless a thread sleeps here: then it is being woken by them.
    void drain() noexcept
    {
        const std::lock_guard hold{mutex_};
        if (!led_)
            take_rings();
    }

    /// Wakes the threads that sleep, as the peer's ring would: to stop a loop, say.
    void wake() noexcept { bell_.wake(); }

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
    template <bell>
    friend class shared_wait;
    using time = std::chrono::steady_clock;

    /// One thread's stay, from before it asks whether it may sleep.
    class stay {
    public:
        explicit stay(waiters& all) noexcept : all_{all}
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
            std::array files{::pollfd{all_.bell_.fd(), POLLIN, 0}, also_};
            // Interrupted or failed: "for no reason at all" is the contract's.
            rung_ = ::ppoll(files.data(), files.size(), &timeout, nullptr) > 0;
            also_fired_ = rung_ && files[1].revents != 0;
        }

        waiters& all_;
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
        if (!bell_.take())
            return;
        ++rings_;
        changed_.notify_all();
    }

    Bell bell_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t rings_ = 0;  ///< Counts up whenever the threads that wait are to look again.
    ::pollfd also_{-1, 0, 0};
    std::uint32_t also_version_ = 0;  ///< File numbers come again; this one does not.
    bool led_ = false;                ///< A thread leads: nobody else touches the bell.
};

/// Sleeps until this side's bell rings. Copies share the waiters they were made from.
///
/// @context Several threads may sleep at once; no ring is lost to any of them.
template <bell Bell>
class shared_wait {
public:
    /// Does not sleep, as policy::spin.
    constexpr shared_wait() noexcept = default;
    explicit constexpr shared_wait(waiters<Bell>& threads) noexcept : threads_{&threads} {}

    /// @param ready  Asked once, after the rings so far were taken back: a later ring ends the sleep.
    /// @param until  Of any clock.
    template <typename Ready, policy::clock Clock>
    void sleep(Ready&& ready, policy::deadline<Clock> until) noexcept
    {
        if (threads_ == nullptr)
            return;
        typename waiters<Bell>::stay here{*threads_};
        if (ready())
            return;
        const auto left = time_left(until);
        if (left.count() > 0)
            here.sleep(waiters<Bell>::time::now() + left);
    }

    /// See waiters::fd(); -1 when there is none.
    [[nodiscard]] int fd() const noexcept { return threads_ != nullptr ? threads_->fd() : -1; }

private:
    waiters<Bell>* threads_ = nullptr;
};

}  // namespace rpmsg::platform
