#pragma once

#include <rpmsg/bus/batch.hpp>
#include <rpmsg/bus/endpoint.hpp>
#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/message.hpp>
#include <rpmsg/bus/observer.hpp>
#include <rpmsg/bus/receiving.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/bus/tx_buffer.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/name.hpp>
#include <rpmsg/platform/linux/await_readable.hpp>
#include <rpmsg/platform/linux/char_place.hpp>
#include <rpmsg/platform/linux/char_receiving.hpp>
#include <rpmsg/platform/linux/char_seat.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/wire/header.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <sys/epoll.h>
#include <time.h>

namespace rpmsg::platform {

/// The Linux side of a link, for programs: a bus whose endpoints are /dev/rpmsgN of the kernel.
///
/// @code
/// rpmsg::platform::char_bus bus;
/// rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }};
/// echo.open("rpmsg-echo");
/// for (;;) {
///     bus.poll();
///     bus.wait_work(1s);
/// }
/// @endcode
/// Endpoints and observers are those of every other bus. What open() means here:
/// - open(name): binds to the channel that the peer announced under that name, or waits for it. Linux
///   announces nothing back: the peer learns of us by our first message. "/dev/rpmsg3" is that very node.
/// - open(name, local): announced too; needs the right to write to sysfs unless it is named "rpmsg-raw".
/// - open(local, towards), open(towards): a node made by the control device.
/// - open(local): receives, and is never bound: Linux does not say who sent a message. For the same reason a
///   message's source is the endpoint's peer, and send_to() and send_from() elsewhere are errc::unsupported.
///
/// local() is any where the kernel chose the address. What was made is destroyed when the endpoint closes, not
/// when the process is killed: then nodes stay until the link ends. When the peer restarts, or withdraws
/// a channel, endpoints are unbound, get new nodes when it is back, and are bound again.
///
/// No file is ever blocking. What is not polled for waits in the kernel, which has no bound for it. An
/// announcement waits in the kernel for a buffer: open(name, local) and its close may take up to 15 seconds while
/// the peer has all of them.
///
/// @context One thread at a time. Needs /dev, /sys; memory for messages is from the heap.
class char_bus : private char_receiving {
public:
    using basic = char_bus;
    using char_sending::deadline;

    /// Opens nothing but the file to wait on; devices are looked for by open() and poll().
    explicit char_bus(const char_place& place = {}) noexcept : char_receiving{place} {}
    char_bus(const char_bus&) = delete;
    char_bus& operator=(const char_bus&) = delete;
    /// Closes the endpoints and observers that are still open: their own destructors then do nothing.
    ~char_bus()
    {
        for (auto* seat = seats_; seat != nullptr; seat = seat->next)
            if (seat->owner != nullptr)
                unlink(*seat);
        remove_leftovers();
        while (auto* const node = observers_.first()) {
            observers_.remove(*node);
            node->open = false;
        }
    }

    /// Looks for devices again after stop().
    void start() noexcept
    {
        stopped_ = false;
        look_due_ = true;
        poll(0);
    }
    /// Gives all nodes back, and stays down until start(). Endpoints stay open and are told that they are
    /// unbound. Inside a receiver it takes effect when that poll ends.
    void stop() noexcept
    {
        stopped_ = true;
        poll(0);
    }

    /// Handles what came: messages, room to send, and what became of channels and of the link.
    ///
    /// @param budget  Messages at most.
    /// @context Returns at once inside a receiver.
    poll_result poll(std::uint16_t budget = char_buffers::count) noexcept
    {
        poll_result done;
        if (polling_)
            return done;
        polling_ = true;
        look_if_due();
        std::array<::epoll_event, 16> ready{};
        do {
            const int count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), 0);
            const int before = done.handled;
            for (int i = 0; i < count && !stopped_; ++i)
                done.handled = static_cast<std::uint16_t>(
                    done.handled + handle(ready[static_cast<std::size_t>(i)], budget - done.handled));
            done.more = count > 0 && done.handled == budget && budget != 0;
            if (done.handled == before || done.more)
                break;
        } while (!stopped_);
        look_if_due();
        send_waiting();
        tell_seats();
        sweep();
        polling_ = false;
        arm();
        return done;
    }

    /// Whether poll() has something to do.
    [[nodiscard]] bool has_work() const noexcept
    {
        return look_due_ || (!is_starved() && await_readable(epoll_.get(), {}));
    }
    /// Sleeps until there is something for poll(), or until the time has come. May return early.
    void wait_work(deadline until) noexcept
    {
        if (look_due_)
            return;
        arm();
        if (is_starved()) {  // every buffer is held: messages would end each sleep, and nobody could take them
            const auto time = to_timespec(std::min<std::chrono::nanoseconds>(time_left(until), place_.retry));
            ::nanosleep(&time, nullptr);
        } else {
            static_cast<void>(await_readable(epoll_.get(), until));
        }
    }
    /// For one's own epoll: can be read when poll() has something to do. -1 when there were too many files.
    [[nodiscard]] int fd() const noexcept { return timer_ ? epoll_.get() : -1; }

    /// Polls until the control device is there.
    ///
    /// @return errc::timed_out; inside a receiver errc::link_down at once.
    result<void> wait_link(deadline until) noexcept
    {
        return wait_until(until, errc::link_down, [this]() noexcept { return state_ == link_state::up; });
    }

    /// Where the link stands; it is up while there is a control device.
    [[nodiscard]] link_state state() const noexcept { return state_; }
    /// Counts the links that were lost: buffers of an earlier epoch are stale.
    [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
    /// Bytes of the longest payload, as far as is known; 0 while the link is not up. See char_place::longest.
    [[nodiscard]] std::uint32_t max_payload() const noexcept
    {
        return state_ == link_state::up ? static_cast<std::uint32_t>(longest_) : 0;
    }
    /// What was refused or dropped, by cause.
    [[nodiscard]] statistics stats() const noexcept { return counts_; }
    /// Why an endpoint got no node when that was tried last, or errc{}: errc::address_in_use, errc::system.
    [[nodiscard]] errc refusal() const noexcept { return refusal_; }

private:
    template <typename, typename, typename, typename...>
    friend class rpmsg::basic_endpoint;
    template <typename, typename...>
    friend class rpmsg::basic_observer;
    template <typename, typename>
    friend class rpmsg::tx_buffer;
    template <typename>
    friend class rpmsg::batch;

    struct seen {
        address local;
        address peer;
        bool is_open;
        bool is_bound;
    };
    [[nodiscard]] seen look_at(const endpoint_node& node) const noexcept
    {
        const auto* const seat = node.open ? seat_of(node) : nullptr;
        return {node.local, node.peer, seat != nullptr && !seat->closing,
                seat != nullptr && seat->is_bound()};
    }

    /// The highest address that Linux gives an endpoint; it would warn of a higher one, and keep a node that nobody can
    /// open, nor remove.
    static constexpr std::uint32_t most = 0x7FFF'FFFE;

    /// @return errc::already_open; errc::address_in_use: of another endpoint or program; errc::unsupported: an
    ///         address above 2^31 - 2; errc::system.
    result<void> open(endpoint_node& node, name service, address local, address peer) noexcept
    {
        if (node.open)
            return errc::already_open;
        if (!epoll_ || !timer_)
            return errc::system;
        for (auto* seat = seats_; seat != nullptr; seat = seat->next)
            if (seat->owner != nullptr && !local.is_any() && seat->local == local)
                return errc::address_in_use;
        if (local == name_service_address)
            return errc::address_in_use;
        if (!local.is_any() && local.value() > most)
            return errc::unsupported;
        auto* const seat = add_seat();
        if (seat == nullptr)
            return errc::system;
        seat->owner = &node;
        seat->service = service;
        node.local = seat->local = local;
        node.peer = seat->peer = peer;
        node.open = true;
        look_due_ = true;
        if (stopped_)
            return {};
        if (!remote_.is_there())  // what went or changed is for the poll to see
            static_cast<void>(remote_.look());
        const auto why = attach(*seat);
        arm();
        if (why == errc::address_in_use || why == errc::system) {
            unlink(*seat);
            return why;
        }
        return {};
    }
    result<void> close(endpoint_node& node, bool dying) noexcept
    {
        auto* const seat = node.open ? seat_of(node) : nullptr;
        if (seat == nullptr)
            return errc::closed;
        if (seat == current_ && !dying) {
            seat->closing = true;
            return {};
        }
        unlink(*seat);
        if (!polling_)
            sweep();
        return {};
    }
    result<void> observe(endpoint_node& node) noexcept
    {
        if (node.open)
            return errc::already_open;
        node.open = true;
        observers_.append(node);
        return {};
    }
    result<void> ignore(endpoint_node& node) noexcept
    {
        if (!node.open)
            return errc::closed;
        if (told_next_ == &node)
            told_next_ = node.next_opened;
        observers_.remove(node);
        node.open = false;
        return {};
    }

    template <typename Done>
    result<void> wait_until(deadline until, errc inside, Done done) noexcept
    {
        while (!done()) {
            if (polling_)
                return inside;
            poll();
            if (done())
                break;
            if (until.passed())
                return errc::timed_out;
            wait_work(until);
        }
        return {};
    }

    void look_if_due() noexcept
    {
        if (stopped_)
            go_down();
        else if (look_due_)
            look_after();
    }
    void go_down() noexcept
    {
        for (auto* seat = seats_; seat != nullptr; seat = seat->next)
            detach(*seat);
        tell_seats();
        if (state_ == link_state::down)
            return;
        ++epoch_;
        state_ = link_state::down;
        tell_observers(event_kind::link, event_word{state_});
    }

    static void begin_batch() noexcept {}  // each write is a message, and rings
    static void end_batch() noexcept {}
};

}  // namespace rpmsg::platform
