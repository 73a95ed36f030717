#pragma once

#include <rpmsg/bus/link.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/config.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/virtio/transport.hpp>
#include <rpmsg/vring/device_side.hpp>
#include <rpmsg/vring/layout.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace rpmsg {

/// The device's half of a link: waits for the driver's rings, moves buffers over them, and notices when
/// the driver began anew.
///
/// @context As bus, which holds its exclusion around each call.
template <policy::board Board, typename Transport>
class device_link {
    using dialect = typename Board::dialect;
    using ring = vring::device_side<typename Board::ring, typename Board::coherence, dialect>;
    using vring_id = policy::vring_id;

public:
    static constexpr auto tx_ring = vring_id::to_driver;
    static constexpr auto rx_ring = vring_id::to_device;

    constexpr device_link(Transport transport, policy::set<Board> models) noexcept
        : transport_{transport},
          policies{std::move(models)}
    {}

    /// Begins to wait for the driver.
    void start() noexcept
    {
        phase_ = phase::waiting;
        refusal_ = errc{};
    }

    /// Leaves the rings as they are: the driver may read on.
    void stop() noexcept { phase_ = phase::waiting; }

    /// Takes the link up or down as the driver wishes.
    /// @spec virtio 1.2, 2.1.2 "Device Requirements: Device Status Field"
    link_change step() noexcept
    {
        if (phase_ != phase::waiting) {
            if (phase_ == phase::attached && intact())
                return link_change::none;
            if (std::exchange(phase_, phase::waiting) != phase::broken)
                return link_change::went_down;
            counts.count(fault::ring_broken);
            transport_.ask_for_reset(barriers());
            return link_change::broke_down;
        }
        if (is_gone())
            return link_change::none;
        const auto now = readiness();
        if (now == virtio::status::driver_ok)
            return attach();
        if ((now & virtio::status::driver_ok) == 0)
            refusal_ = errc{};
        return link_change::none;
    }

    /// Whether the rings and the driver are as they were when the link came up. Only compares: what is read
    /// is not used. @pre It came up, and was not given up.
    /// @spec virtio 1.2, 2.4.1 "Device Requirements: Device Reset"
    [[nodiscard]] RPMSG_HOT_PATH bool intact() noexcept
    {
        if constexpr (Board::lifecycle::ever_knows) {
            const auto life = policies.lifecycle.peer();
            if (life == policy::peer_life::gone || life == policy::peer_life::restarted)
                phase_ = phase::forsaken;  // "restarted" is said once
            if (phase_ != phase::attached)
                return false;
        }
        return readiness() == virtio::status::driver_ok &&
               transport_.ring_mark(barriers(), rx_ring) == marks_[1] &&
               transport_.ring_mark(barriers(), tx_ring) == marks_[0] && !tx_.lost_index() &&
               !(may_have_events && tx_.lost_mark()) && !rx_.was_reset();
    }

    /// Whether step() has something to do.
    [[nodiscard]] bool has_change() noexcept
    {
        if (phase_ != phase::waiting)
            return phase_ != phase::attached || !intact();
        if (is_gone())
            return false;
        const auto now = readiness();
        return refusal_ == errc{} ? now == virtio::status::driver_ok : (now & virtio::status::driver_ok) == 0;
    }

    /// Gives the link up, because the driver broke it beyond repair: the next step() says so. @pre It is up.
    void give_up() noexcept { phase_ = phase::broken; }

    [[nodiscard]] errc refusal() const noexcept { return refusal_; }
    [[nodiscard]] std::uint32_t features() const noexcept { return features_; }
    /// Bytes of the longest payload, as the first tx buffer posted showed.
    [[nodiscard]] std::uint32_t longest() const noexcept { return longest_; }

    // Receiving

    /// The next message, still in the ring. @pre rx().waiting() != 0
    ///
    /// @return errc::malformed when it was no descriptor, and skipped.
    RPMSG_HOT_PATH errc peek_rx(room& in) noexcept
    {
        const auto head = rx_.head_waiting();
        if (head >= rx_.count()) [[unlikely]] {
            rx_.skip_available();
            return errc::malformed;
        }
        locate(rx_, head, in);
        return errc{};
    }
    void take_rx(const room& /*in*/) noexcept { rx_.take_available(); }
    /// @spec OpenAMP lib/rpmsg/rpmsg_virtio.c, rpmsg_virtio_return_buffer()
    void give_rx(std::uint16_t id, std::uint32_t capacity) noexcept { rx_.make_used(id, capacity); }
    /// Whether every buffer of the driver's is here, so that it may be asleep for want of one.
    [[nodiscard]] bool peer_has_none() const noexcept
    {
        return rx_.waiting() + rx_.in_flight() == rx_.count();
    }

    // Sending

    /// Whether there are more than `kept` buffers to send in, as far as we looked; some may turn out to be none.
    [[nodiscard]] RPMSG_HOT_PATH bool has_tx(unsigned kept) const noexcept
    {
        return tx_.waiting() > kept || unsigned{tx_.waiting()} + parked_.count() > kept;
    }
    /// A buffer with room for `least` bytes of payload, if more than `kept` are free.
    ///
    /// @return errc::full; errc::too_long: the next one has less room; errc::out_of_map: it is none, and the
    ///         link cannot go on.
    RPMSG_HOT_PATH errc take_tx(room& out, unsigned kept, std::size_t least) noexcept
    {
        if (!has_tx(kept))
            return errc::full;
        if (const auto why = peek_tx(out); why != errc{})
            return why;
        if (least > out.capacity - sizeof(wire::header))
            return errc::too_long;
        parked_.pop();
        return errc{};
    }
    /// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_recv_single()
    void publish_tx(std::uint16_t id, std::uint32_t length) noexcept { tx_.make_used(id, length); }
    void park_tx(std::uint16_t id) noexcept { parked_.push(id); }

    // Doorbells

    ring& rx() noexcept { return rx_; }
    ring& tx() noexcept { return tx_; }
    [[nodiscard]] std::uint32_t notify_id(vring_id which) const noexcept
    {
        return notify_ids_[static_cast<std::size_t>(which)];
    }

private:
    enum class phase : std::uint8_t {
        waiting,   ///< For DRIVER_OK without NEEDS_RESET: that we set, and only a driver's reset clears.
        attached,  ///< On the driver's rings.
        broken,    ///< Given up; the next step() says so.
        forsaken,  ///< The driver went away; the next step() says so.
    };
    static constexpr auto carries_id = Board::doorbell::carries_queue_id;
    static constexpr auto may_have_events = (dialect::features & policy::feature::event_idx) != 0;
    static constexpr std::uint32_t most = wire::longest_payload + sizeof(wire::header);
    using mark =
        decltype(std::declval<Transport&>().ring_mark(std::declval<typename Board::coherence&>(), tx_ring));

    typename Board::coherence& barriers() noexcept { return policies.coherence; }
    RPMSG_HOT_PATH void locate(ring& side, std::uint16_t head, room& out) noexcept
    {
        const auto buffer = side.describe(head);
        out.data = policies.address_map.to_local(buffer.address, buffer.length);
        out.capacity = buffer.length;
        out.id = head;
    }
    /// The next buffer to send in; it stays where it is, parked. Entries that name no descriptor are skipped.
    RPMSG_HOT_PATH errc peek_tx(room& out) noexcept
    {
        while (parked_.count() == 0) {
            if (tx_.waiting() == 0)
                return errc::full;
            const auto head = tx_.head_waiting();
            if (head < tx_.count()) [[likely]] {
                tx_.take_available();
                parked_.push(head);
            } else {
                tx_.skip_available();
                counts.count(fault::bad_descriptor);
            }
        }
        locate(tx_, parked_.top(), out);
        if (out.data == nullptr || out.capacity < sizeof(wire::header))
            return errc::out_of_map;
        out.capacity = out.capacity < most ? out.capacity : most;  // what a header can tell of
        return errc{};
    }

    bool is_gone() noexcept
    {
        if constexpr (Board::lifecycle::ever_knows)
            return policies.lifecycle.peer() == policy::peer_life::gone;
        return false;
    }
    std::uint8_t readiness() noexcept
    {
        return transport_.status(barriers()) & (virtio::status::driver_ok | virtio::status::needs_reset);
    }

    /// Checks what the driver says of a ring before anything in it is touched, and starts on it.
    ///
    /// @return errc::stale when it is not fresh: somebody was here before us, and we never go on in the
    ///         middle of its rings.
    errc attach(vring_id which, ring& side) noexcept
    {
        // Before its place is read: if the driver moves it in between, intact() will tell.
        marks_[static_cast<std::size_t>(which)] = transport_.ring_mark(barriers(), which);
        const auto place = transport_.ring(barriers(), which);
        typename Board::ring size{};
        vring::layout at{};
        if (const auto why =
                vring::lay_out(at, size, place.num, place.align, dialect::alignment, Board::coherence::line);
            why != errc{})
            return why;
        auto* const start = policies.address_map.to_local(place.address, at.size);
        if (start == nullptr)
            return errc::out_of_map;
        // Peers align the used ring's address, and we its offset: that is one place only if the start is aligned.
        if ((place.address & (place.align - 1U)) != 0 ||
            reinterpret_cast<std::uintptr_t>(start) % alignof(wire::descriptor) != 0)
            return errc::misaligned;
        // Known from here on: also who asks for a reset rings.
        if constexpr (carries_id)
            notify_ids_[static_cast<std::size_t>(which)] = place.notify_id;
        const typename ring::memory memory{start, at};
        // All that we will write: the driver zeroed it, and what we cached of an earlier link must not fall on that.
        barriers().invalidate(&memory.used(), at.size - at.used);
        const auto returned = barriers().load_relaxed(memory.used().idx);
        if (returned != 0 && !(dialect::prefills_used_ring && which == rx_ring && returned == size.count()))
            return errc::stale;
        if (ring::is_marked(memory, size, barriers()))
            return errc::stale;
        if constexpr (!std::is_empty_v<typename Board::coherence>)
            side = ring{barriers()};
        side.attach(memory, size, returned, (features_ & policy::feature::event_idx) != 0);
        return errc{};
    }

    link_change attach() noexcept
    {
        // Pairs with the barrier before the driver's write of the status: what it stands for is visible.
        barriers().full_barrier();
        features_ = transport_.accepted(barriers()) & dialect::features;
        auto why = errc{};
        for (const auto which : {tx_ring, rx_ring})  // a loop, so that its one call is inline
            if (why == errc{})
                why = attach(which, which == tx_ring ? tx_ : rx_);
        if (why == errc{})
            why = tx_.look();
        if (why == errc{}) {
            parked_.clear();
            room first;
            why = peek_tx(first);
            // A driver posts its receive buffers before it says DRIVER_OK; until then it is not done.
            if (why == errc::full)
                return link_change::none;
            if (why == errc{})
                longest_ = first.capacity - std::uint32_t{sizeof(wire::header)};
        }
        if (why == errc::stale) {
            transport_.ask_for_reset(barriers());
            return link_change::asked_for_reset;
        }
        if (why != errc{}) {
            // Nobody rings when the driver starts over: each step() looks again, and says so once.
            const bool told = why == refusal_;
            refusal_ = why;
            if (told)
                return link_change::none;
            counts.count(fault::layout_refused);
            return link_change::refused;
        }
        refusal_ = errc{};
        if constexpr (may_have_events)
            tx_.leave_mark();
        rx_.leave_mark();
        tx_.suppress_doorbells();
        if constexpr (Board::inbound == policy::inbound::polled)
            rx_.suppress_doorbells();
        phase_ = phase::attached;
        return link_change::came_up;
    }

    // The smallest and most used come first, where the shortest instructions reach.
    phase phase_ = phase::waiting;
    errc refusal_{};
    ring rx_;
    ring tx_;
    std::uint32_t features_ = 0;
    std::uint32_t longest_ = 0;
    std::array<mark, 2> marks_{};
    parked_buffers<Board::ring::capacity> parked_;
    [[no_unique_address]] std::array<std::uint32_t, carries_id ? 2 : 0> notify_ids_{};
    [[no_unique_address]] Transport transport_;

public:
    statistics counts;
    [[no_unique_address]] policy::set<Board> policies;
};

}  // namespace rpmsg
