#pragma once

#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/platform/linux/char_buffers.hpp>
#include <rpmsg/platform/linux/char_place.hpp>
#include <rpmsg/platform/linux/char_remote.hpp>
#include <rpmsg/platform/linux/char_seat.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/platform/linux/time_left.hpp>
#include <rpmsg/policy/clock.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <new>
#include <utility>

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace rpmsg::platform {

/// The part of a char_bus that keeps its endpoints attached to nodes, and tells what became of them.
///
/// @context One thread at a time.
class char_state {
public:
    char_state(const char_state&) = delete;
    char_state& operator=(const char_state&) = delete;

protected:
    explicit char_state(const char_place& place) noexcept
        : place_{place},
          longest_{place.longest},
          epoll_{::epoll_create1(EPOLL_CLOEXEC)},
          timer_{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)}
    {
        watch(EPOLL_CTL_ADD, timer_.get(), EPOLLIN, nullptr);
        arm();
    }
    ~char_state()
    {
        while (seats_ != nullptr)
            delete std::exchange(seats_, seats_->next);
    }

    // Seats

    [[nodiscard]] char_seat* seat_of(const endpoint_node& node) const noexcept
    {
        auto* seat = seats_;
        while (seat != nullptr && seat->owner != &node)
            seat = seat->next;
        return seat;
    }
    /// A new one at the end, so that nodes are made in order of opening. nullptr: there is no memory.
    char_seat* add_seat() noexcept
    {
        auto** at = &seats_;
        while (*at != nullptr)
            at = &(*at)->next;
        return *at = new (std::nothrow) char_seat;
    }
    /// Lets go of those that are closed and of which nothing is left.
    void sweep() noexcept
    {
        for (auto** at = &seats_; *at != nullptr;) {
            auto& seat = **at;
            if (seat.owner == nullptr && seat.label.empty()) {
                *at = seat.next;
                delete &seat;
            } else {
                at = &seat.next;
            }
        }
    }
    /// Removes nodes that could not be opened when their endpoints closed: another had their address.
    void remove_leftovers() noexcept
    {
        for (auto* seat = seats_; seat != nullptr; seat = seat->next)
            if (seat->owner == nullptr && !seat->label.empty() && remote_.attach(*seat) == errc{})
                remote_.detach(*seat);
    }

    /// Gives an endpoint its node, if there is one for it.
    ///
    /// Where a node has just gone, Linux may be about to take the whole link down, on a thread of its own; who has a
    /// node made at that moment, and opens it, makes the kernel crash (6.12, read and seen). So that waits.
    errc attach(char_seat& seat) noexcept
    {
        if (!trusted_from_.passed())
            return errc::not_ready;
        const auto why = remote_.attach(seat);
        refusal_ = why == errc::not_bound || why == errc::not_ready ? errc{} : why;
        if (why != errc{})
            return why;
        seat.owner->local = seat.source;
        seat.owner->peer = seat.destination;
        kernel_says_ = kernel_says_ || seat.file.says_writable();
        watch(EPOLL_CTL_ADD, seat.file.fd(), EPOLLIN, &seat);
        return errc{};
    }
    /// Takes an endpoint's node away; on_unbound is told by the poll.
    void detach(char_seat& seat) noexcept
    {
        if (seat.has_reply) {
            seat.has_reply = false;
            buffers_.give(seat.reply);
            counts_.count(fault::reply_dropped);
        }
        remote_.detach(seat);
    }
    void watch(int how, int fd, std::uint32_t events, char_seat* seat) noexcept
    {
        ::epoll_event wanted{};
        wanted.events = events;
        wanted.data.ptr = seat;
        static_cast<void>(::epoll_ctl(epoll_.get(), how, fd, &wanted));
    }
    /// Asks for what an endpoint waits for: messages, or, until its reply is sent, only room for that.
    void watch_again(const char_seat& seat) noexcept
    {
        const std::uint32_t room =
            kernel_says_ && (seat.has_reply || seat.wants_room) ? std::uint32_t{EPOLLOUT} : 0;
        watch(EPOLL_CTL_MOD, seat.file.fd(), room | (seat.has_reply ? 0 : std::uint32_t{EPOLLIN}),
              const_cast<char_seat*>(
                  &seat));  // NOLINT(cppcoreguidelines-pro-type-const-cast): comes back as it was
    }

    // What a poll looks after

    /// Follows the link and the channels: what went is taken away, what came is given.
    void look_after() noexcept
    {
        look_due_ = false;
        auto change = remote_.look();
        if (change != char_remote::change::none)
            trusted_from_ = {};
        if (change == char_remote::change::went || change == char_remote::change::came_again) {
            for (auto* seat = seats_; seat != nullptr; seat = seat->next) {
                detach(*seat);
                seat->label = {};  // gone with its link
            }
            ++epoch_;
            set_state(link_state::lost);
            tell_seats();
        }
        if (state_ == link_state::down || state_ == link_state::lost)
            set_state(link_state::negotiating);
        if (!remote_.is_there())
            return;
        if (state_ != link_state::up)
            set_state(link_state::up);
        for (auto* seat = seats_; seat != nullptr; seat = seat->next)
            look_after(*seat);
        if (++looks_ % leftover_looks == 0)  // the kernel logs each attempt
            remove_leftovers();
    }

    /// Tells endpoints that they are bound, or no longer.
    void tell_seats() noexcept
    {
        for (auto* seat = seats_; seat != nullptr; seat = seat->next) {
            if (seat->owner == nullptr || seat->told_bound == seat->is_bound())
                continue;
            seat->told_bound = !seat->told_bound;
            const auto peer = seat->told_bound ? seat->destination : seat->owner->peer;
            if (!seat->told_bound)
                forget_peer(*seat);
            auto* const before = std::exchange(current_, seat);
            seat->owner->tell(*seat->owner, seat->told_bound ? event_kind::bound : event_kind::unbound,
                              event_word{peer});
            current_ = before;
            if (seat->owner != nullptr && seat->closing)
                unlink(*seat);
        }
    }
    static void forget_peer(char_seat& seat) noexcept
    {
        seat.owner->peer = seat.peer;
        seat.owner->local = seat.local;
    }
    void tell_observers(event_kind what, event_word with = {}) noexcept
    {
        for (auto* node = observers_.first(); node != nullptr; node = told_next_) {
            told_next_ = node->next_opened;
            node->tell(*node, what, with);
        }
    }
    void report(fault cause) noexcept
    {
        counts_.count(cause);
        tell_observers(event_kind::error, event_word{cause});
    }
    void set_state(link_state state) noexcept
    {
        state_ = state;
        tell_observers(event_kind::link, event_word{state});
    }

    /// Closes an endpoint; what is left of its seat goes with the next sweep.
    void unlink(char_seat& seat) noexcept
    {
        auto& node = *std::exchange(seat.owner, nullptr);
        detach(seat);
        for (auto& owner : lent_to_)
            if (owner == &seat)
                owner = nullptr;
        node.open = node.closing = false;
        node.local = node.peer = any_address;
    }

    // Time

    /// Has the timer fire as often as something has to be looked at that nobody tells us of.
    void arm() noexcept
    {
        auto period = seats_ == nullptr || state_ != link_state::up ? place_.rescan : no_period;
        for (auto* seat = seats_; seat != nullptr; seat = seat->next) {
            const bool makes = !seat->is_attached() && !seat->label.empty() && seat->owner != nullptr;
            const bool waits = !kernel_says_ && (seat->has_reply || seat->wants_room);
            if (makes || waits)
                period = place_.retry;
            else if (period == no_period && (!seat->is_bound() || !seat->watched.empty()))
                period = place_.rescan;
        }
        if (look_due_)
            period = place_.retry;
        if (stopped_)
            period = no_period;
        if (period == std::exchange(period_, period))
            return;
        ::itimerspec when{};
        when.it_value = when.it_interval = to_timespec(period);
        static_cast<void>(::timerfd_settime(timer_.get(), 0, &when, nullptr));
    }
    void timer_fired() noexcept
    {
        std::uint64_t times = 0;
        static_cast<void>(retried([&] { return ::read(timer_.get(), &times, sizeof times); }));
        look_due_ = true;
    }

    static constexpr std::chrono::microseconds no_period{0};
    static constexpr unsigned leftover_looks = 16;  // one in so many looks is for what was left behind

    const char_place place_;
    char_remote remote_{place_};
    std::size_t longest_;
    char_buffers buffers_;
    std::array<char_seat*, char_buffers::count> lent_to_{};  // whose tx_buffer has it
    char_seat* seats_ = nullptr;
    char_seat* current_ = nullptr;  // whose receiver or handler runs
    node_list observers_;
    endpoint_node* told_next_ = nullptr;
    statistics counts_;
    std::uint32_t epoch_ = 0;
    unsigned looks_ = 0;
    link_state state_ = link_state::down;
    errc refusal_{};
    bool polling_ = false;
    bool stopped_ = false;
    bool look_due_ = true;      // something went or is missing
    bool kernel_says_ = false;  // when there is room to send: see char_file::says_writable()
    bool tx_wanted_ = false;    // by on_tx_ready
    std::chrono::microseconds period_{-1};
    policy::deadline<monotonic_clock>
        trusted_from_;  // when the control device survived what became of a node
    file_descriptor epoll_;
    file_descriptor timer_;

private:
    void look_after(char_seat& seat) noexcept
    {
        if (seat.owner == nullptr)
            return;
        const bool is_found_now = [&] {
            char_entry peers;
            return seat.from == char_seat::origin::channel && !seat.is_bound() &&
                   remote_.find_channel(seat.service.c_str(), seat.local, peers);
        }();
        if (seat.has_gone)
            trusted_from_ = policy::deadline<monotonic_clock>{place_.rescan};
        if (seat.has_gone || is_found_now || !remote_.still_there(seat)) {
            detach(seat);
            tell_seats();
        }
        if (seat.owner != nullptr && !seat.is_attached() && attach(seat) == errc{})
            tell_seats();
    }
};

}  // namespace rpmsg::platform
