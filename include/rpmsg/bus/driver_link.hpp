#pragma once

#include <rpmsg/bus/agreed_sizes.hpp>
#include <rpmsg/bus/buffer_pool.hpp>
#include <rpmsg/bus/link.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/config.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/virtio/transport.hpp>
#include <rpmsg/vring/driver_side.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/config_space.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace rpmsg {

/// The driver's half of a link: makes the rings, owns the buffers, moves messages over them, and starts
/// over when the device asks for it or went away.
///
/// @context As bus, which holds its exclusion around each call.
template <policy::board Board, typename Transport>
class driver_link {
    using dialect = typename Board::dialect;
    using ring = vring::driver_side<typename Board::ring, typename Board::coherence, dialect>;
    using vring_id = policy::vring_id;

public:
    static constexpr auto tx_ring = vring_id::to_device;
    static constexpr auto rx_ring = vring_id::to_driver;

    constexpr driver_link(Transport transport, const buffer_pool& pool, policy::set<Board> models) noexcept
        : pool_{pool},
          transport_{transport},
          policies{std::move(models)}
    {}

    /// Begins anew.
    /// @spec virtio 1.2, 2.4 "Device Reset"
    void start() noexcept
    {
        refusal_ = errc{};
        stop();
    }

    /// The device is told to let go of the rings.
    /// @spec virtio 1.2, 3.3.1 "Driver Requirements: Device Cleanup"
    void stop() noexcept
    {
        phase_ = phase::waiting;
        if (transport_.check(barriers()))
            transport_.set_status(barriers(), virtio::status::reset);
    }

    /// Takes the link up as soon as there is a device, and down when it is gone.
    /// @spec virtio 1.2, 2.1.1 "Driver Requirements: Device Status Field"
    /// @spec virtio 1.2, 3.1.1 "Driver Requirements: Device Initialization"
    link_change step() noexcept
    {
        if (phase_ != phase::waiting) {
            if (phase_ == phase::attached && intact())
                return link_change::none;
            const bool broke = std::exchange(phase_, phase::waiting) == phase::broken;
            transport_.set_status(barriers(), virtio::status::reset);
            if (!broke)
                return link_change::went_down;
            counts.count(fault::ring_broken);
            return link_change::broke_down;
        }
        if constexpr (Board::lifecycle::ever_knows)
            if (policies.lifecycle.peer() == policy::peer_life::gone)
                return link_change::none;
        return transport_.check(barriers()) ? attach() : link_change::none;
    }

    /// Whether the device is alive and the status what we wrote: one that restarted clears it or asks for
    /// a reset. @pre The link came up, and was not given up.
    [[nodiscard]] RPMSG_HOT_PATH bool intact() noexcept
    {
        if constexpr (Board::lifecycle::ever_knows) {
            const auto life = policies.lifecycle.peer();
            if (life == policy::peer_life::gone || life == policy::peer_life::restarted)
                phase_ = phase::forsaken;  // "restarted" is said once
            if (phase_ != phase::attached)
                return false;
        }
        return transport_.status(barriers()) == running;
    }

    /// Whether step() has something to do.
    [[nodiscard]] bool has_change() noexcept
    {
        if (phase_ != phase::waiting)
            return phase_ != phase::attached || !intact();
        if constexpr (Board::lifecycle::ever_knows)
            if (policies.lifecycle.peer() == policy::peer_life::gone)
                return false;
        return refusal_ == errc{} && transport_.check(barriers()).has_value();
    }

    /// Gives the link up, because the device broke it beyond repair: the next step() says so. @pre It is up.
    void give_up() noexcept { phase_ = phase::broken; }

    [[nodiscard]] errc refusal() const noexcept { return refusal_; }
    [[nodiscard]] std::uint32_t features() const noexcept { return features_; }
    [[nodiscard]] std::uint32_t longest() const noexcept { return longest_; }

    // Receiving

    /// The next message, still in the ring, or errc::protocol. @pre rx().waiting() != 0
    /// @spec virtio 1.2, 2.7.8.3 "Driver Requirements: The Virtqueue Used Ring"
    RPMSG_HOT_PATH errc peek_rx(room& in) noexcept
    {
        if (rx_.peek_waiting(in.id) != errc{})
            return errc::protocol;
        const auto size = sizes().to_driver;
        const auto length = rx_.length_waiting();
        in.data = pool_.to_driver.data() + std::size_t{in.id} * size;
        // A length beyond the buffer is no length: the message is dropped, the buffer posted again.
        in.capacity = length <= size ? length : 0;
        return errc{};
    }
    void take_rx(const room& in) noexcept { rx_.take_used(in.id); }
    void give_rx(std::uint16_t id, std::uint32_t /*capacity*/) noexcept { rx_.make_available(id); }
    [[nodiscard]] bool peer_has_none() const noexcept { return rx_.waiting() == rx_.in_flight(); }

    // Sending

    /// Whether there are more than `kept` buffers to send in, as far as we looked.
    [[nodiscard]] RPMSG_HOT_PATH bool has_tx(unsigned kept) const noexcept
    {
        return tx_.waiting() > kept || unsigned{tx_.waiting()} + parked_.count() > kept;
    }
    /// A buffer, if more than `kept` are free; all have the same room.
    ///
    /// @return errc::full; errc::protocol: what came back was never lent, and the link cannot go on.
    RPMSG_HOT_PATH errc take_tx(room& out, unsigned kept, std::size_t /*least*/) noexcept
    {
        if (tx_.waiting() > kept) {
            if (tx_.peek_waiting(out.id) != errc{})
                return errc::protocol;
            tx_.take_used(out.id);
        } else if (has_tx(kept)) {  // so some are parked
            out.id = parked_.top();
            parked_.pop();
        } else {
            return errc::full;
        }
        out.data = tx_buffers_ + std::size_t{out.id} * sizes().to_device;
        out.capacity = sizes().to_device;
        return errc{};
    }
    void publish_tx(std::uint16_t id, std::uint32_t /*length*/) noexcept { tx_.make_available(id); }
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
        waiting,   ///< For a device.
        attached,  ///< The rings are made.
        broken,    ///< Given up; the next step() says so.
        forsaken,  ///< The device went away; the next step() says so.
    };
    static constexpr auto carries_id = Board::doorbell::carries_queue_id;
    static constexpr std::uint8_t running =
        virtio::status::acknowledge | virtio::status::driver | virtio::status::driver_ok;

    typename Board::coherence& barriers() noexcept { return policies.coherence; }
    [[nodiscard]] wire::buffer_sizes sizes() const noexcept { return sizes_.of(pool_); }
    link_change refuse(errc why) noexcept
    {
        // The firmware may not be done with its table: the next step() looks again, and says so only once.
        transport_.set_status(barriers(), virtio::status::failed);
        if (refusal_ == why)
            return link_change::none;
        refusal_ = why;
        counts.count(fault::layout_refused);
        return link_change::refused;
    }

    /// Where a ring is to be made: where the table says, or the next free place of pool.rings.
    result<std::byte*> place(const virtio::ring_place& wanted, std::size_t size, std::size_t& used_up,
                             vring_id which) noexcept
    {
        std::byte* start = nullptr;
        if (transport_.is_placed(barriers(), which)) {
            start = policies.address_map.to_local(wanted.address, size);
            if (start == nullptr)
                return errc::out_of_map;
            // Perhaps we placed it there at an earlier try: the other ring must not lie on it.
            const auto at = reinterpret_cast<std::uintptr_t>(start) -
                            reinterpret_cast<std::uintptr_t>(pool_.rings.data());
            if (at < pool_.rings.size())
                used_up = at + size;
        } else {
            // Aligned as the device sees it.
            const auto base = static_cast<std::uintptr_t>(policies.address_map.to_peer(pool_.rings.data()));
            const auto at =
                ((base + used_up + wanted.align - 1) & ~(std::uintptr_t{wanted.align} - 1)) - base;
            if (at > pool_.rings.size() || size > pool_.rings.size() - at)
                return errc::out_of_memory;
            start = pool_.rings.data() + at;
            used_up = at + size;
            transport_.place_ring(barriers(), which, policies.address_map.to_peer(start));
        }
        // Peers align the used ring's address, and we its offset: that is one place only if the start is aligned.
        if ((policies.address_map.to_peer(start) & (wanted.align - 1U)) != 0 ||
            reinterpret_cast<std::uintptr_t>(start) % alignof(wire::descriptor) != 0)
            return errc::misaligned;
        return start;
    }

    /// @spec virtio 1.2, 3.1.2 "Legacy Interface: Device Initialization"
    /// @spec virtio 1.2, 3.1.1; virtio 1.2, 2.2.1 "Driver Requirements: Feature Bits"
    link_change attach() noexcept
    {
        transport_.set_status(barriers(), virtio::status::reset);
        transport_.set_status(barriers(), virtio::status::acknowledge | virtio::status::driver);
        features_ = transport_.offered(barriers()) & dialect::features;
        if (const auto why = sizes_.agree(transport_, barriers(), features_, pool_); why != errc{})
            return refuse(why);
        transport_.accept(barriers(), features_);

        std::size_t used_up = 0;
        for (const auto which : {rx_ring, tx_ring}) {
            const auto wanted = transport_.ring(barriers(), which);
            typename Board::ring size{};
            vring::layout at{};
            if (const auto why = vring::lay_out(at, size, wanted.num, wanted.align, dialect::alignment,
                                                Board::coherence::line);
                why != errc{})
                return refuse(why);
            const auto start = place(wanted, at.size, used_up, which);
            if (!start)
                return refuse(start.error());
            if constexpr (carries_id)
                notify_ids_[static_cast<std::size_t>(which)] = wanted.notify_id;
            auto& side = which == rx_ring ? rx_ : tx_;
            side = ring{barriers()};
            side.attach(*start, at, size, (features_ & policy::feature::event_idx) != 0);
        }
        if (!lend_buffers())
            return refuse(errc::out_of_memory);
        tx_.suppress_doorbells();
        if constexpr (Board::inbound == policy::inbound::polled)
            rx_.suppress_doorbells();
        transport_.set_status(barriers(), running);
        longest_ = sizes().to_device - std::uint32_t{sizeof(wire::header)};
        phase_ = phase::attached;
        refusal_ = errc{};
        return link_change::came_up;
    }

    /// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_probe()
    bool lend_buffers() noexcept
    {
        const auto agreed = sizes();
        if (!wire::holds_messages(agreed.to_driver) || !wire::holds_messages(agreed.to_device))
            return false;
        const auto describe = [this](ring& side, std::span<std::byte> memory, std::uint32_t size,
                                     std::uint16_t flags) {
            std::uint16_t n = 0;
            std::size_t end = 0;
            for (; n != side.count() && memory.size() - end >= size; ++n, end += size)
                side.describe(n, policies.address_map.to_peer(memory.data() + end), size, flags);
            // Nothing of ours may be written back over what the device writes.
            barriers().clean(memory.data(), end);
            barriers().invalidate(memory.data(), end);
            return n;
        };
        const auto received = describe(rx_, pool_.to_driver, agreed.to_driver, wire::descriptor_write);
        auto tx_memory = pool_.to_device;
        if (tx_memory.empty())
            tx_memory = pool_.to_driver.subspan(std::size_t{received} * agreed.to_driver);
        const auto sent = describe(tx_, tx_memory, agreed.to_device, 0);
        tx_buffers_ = tx_memory.data();
        parked_.clear();
        for (auto id = sent; id != 0; --id)
            parked_.push(static_cast<std::uint16_t>(id - 1));
        for (std::uint16_t id = 0; id != received; ++id)
            rx_.make_available(id);
        return received != 0 && sent != 0;
    }

    // The smallest and most used come first, where the shortest instructions reach.
    phase phase_ = phase::waiting;
    errc refusal_{};
    ring rx_;
    ring tx_;
    parked_buffers<Board::ring::capacity> parked_;  // all that are free and not in the used ring
    std::byte* tx_buffers_ = nullptr;
    buffer_pool pool_;
    [[no_unique_address]] agreed_sizes<dialect> sizes_{};
    std::uint32_t features_ = 0;
    std::uint32_t longest_ = 0;
    [[no_unique_address]] std::array<std::uint32_t, carries_id ? 2 : 0> notify_ids_{};
    [[no_unique_address]] Transport transport_;

public:
    statistics counts;
    [[no_unique_address]] policy::set<Board> policies;
};

}  // namespace rpmsg
