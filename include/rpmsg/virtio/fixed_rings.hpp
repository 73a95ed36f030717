#pragma once

#include <rpmsg/result.hpp>
#include <rpmsg/virtio/known_rings.hpp>
#include <rpmsg/virtio/status.hpp>

#include <atomic>
#include <cstdint>

namespace rpmsg::virtio {

/// That the driver rang: all that a device without a table or a status byte hears of its being there.
///
/// One of the board's statics, since the doorbell's interrupt and the bus's transport both need it.
class first_doorbell {
public:
    constexpr first_doorbell() noexcept = default;

    /// The driver rang; or, on a board that polls, the rings are known to be made. Call it before poll().
    ///
    /// The first call brings the link up. Later ones are looked at only while rings are refused, so an
    /// interrupt calls it each time and asks nothing.
    /// @context Thread or ISR: one load and one store. Of several at once one is enough.
    void rang() noexcept
    {
        const auto next = times_.load(std::memory_order_relaxed) + 1U;
        times_.store(next != 0 ? next : 1U, std::memory_order_relaxed);
    }
    /// Another number after each rang(); 0 before the first. The bus orders what it reads behind it.
    [[nodiscard]] std::uint32_t times() const noexcept { return times_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint32_t> times_{0};  // only loaded and stored: Cortex-M0 has no more
};

/// The transport of rpmsg-lite: both rings at places that both sides were built with, and nothing else.
///
/// @tparam Role  Which end this is.
template <role Role>
class fixed_rings;

/// The device's: up at the first doorbell, which is a driver's word that the rings are made.
///
/// @code
/// inline constexpr auto rings = rpmsg::virtio::rpmsg_lite_places(0x2000'0000, 16, 0x10, 0x400);
/// inline constinit rpmsg::virtio::first_doorbell driver_rang;
/// struct my_board : rpmsg::policy::board_defaults {
///     using dialect = rpmsg::policy::rpmsg_lite;
///     static constexpr rpmsg::virtio::fixed_rings<rpmsg::virtio::role::device> resources{rings, driver_rang};
/// };
/// void mailbox_isr() { driver_rang.rang(); }
/// @endcode
/// A doorbell that rang before its interrupt was enabled, and that the hardware did not keep, is lost: the
/// board then calls rang() for it. Called with no rings there, what lies there is refused like rings that
/// somebody used before: until the next doorbell.
///
/// A driver that starts anew is seen by its rings alone: it zeroes them, so used.idx (and, where the layout
/// has room, the mark in avail_event) is no longer ours. Not seen: one that starts over before this side
/// gave anything back in a layout without that room, or after exactly 65536 entries of each ring, between
/// two looks; and the link may come up on rings half made, to be lost again at the next look. A device
/// that starts anew finds used rings, refuses them and rings, and has no word for "start over": the link
/// stays `negotiating` until the driver does.
///
/// @spec rpmsg-lite lib/rpmsg_lite/rpmsg_lite.c, rpmsg_lite_remote_init()
template <>
class fixed_rings<role::device> : public known_rings {
public:
    /// @param places  Outlives the bus.
    /// @param heard   What the doorbell's interrupt tells; outlives the bus.
    constexpr fixed_rings(const ring_places& places, const first_doorbell& heard) noexcept
        : known_rings{places},
          heard_{&heard}
    {}
    fixed_rings(const ring_places&& places, const first_doorbell& heard) = delete;

    template <typename Barriers>
    [[nodiscard]] std::uint8_t status(Barriers& /*barriers*/) noexcept
    {
        seen_ = heard_->times();
        if (seen_ == refused_)
            return status::reset;
        refused_ = 0;  // so that the count, which is never 0 again, does not come round to it
        return status::driver_ok;
    }
    /// Tells nobody: waits for a doorbell that was not heard when the rings were looked at.
    template <typename Barriers>
    void ask_for_reset(Barriers& /*barriers*/) noexcept
    {
        refused_ = seen_;
    }

private:
    const first_doorbell* heard_;
    std::uint32_t seen_ = 0;
    std::uint32_t refused_ = 0;  // seen_ when the rings were refused; 0: not before the first doorbell
};

/// The driver's: the rings are made at once, and then vring0 is rung, for which an rpmsg-lite remote waits.
///
/// Nothing comes back from the device, so one that starts anew is not seen, unless Board::lifecycle says
/// so: then, or after stop() and start(), the rings are made anew. An rpmsg-lite remote that is running does
/// not notice that they were: it has to be started anew too, and first.
///
/// @spec rpmsg-lite lib/rpmsg_lite/rpmsg_lite.c, rpmsg_lite_master_init()
template <>
class fixed_rings<role::driver> : public known_rings {
public:
    /// @param places  Outlives the bus.
    explicit constexpr fixed_rings(const ring_places& places) noexcept : known_rings{places} {}
    explicit fixed_rings(const ring_places&& places) = delete;

    /// There is nothing to look at.
    template <typename Barriers>
    result<void> check(Barriers& /*barriers*/) const noexcept
    {
        return {};
    }
    template <typename Barriers>
    [[nodiscard]] std::uint8_t status(Barriers& /*barriers*/) const noexcept
    {
        return status_;
    }
    /// Kept for ourselves. The rings are visible before the doorbell that follows.
    template <typename Barriers>
    void set_status(Barriers& barriers, std::uint8_t status) noexcept
    {
        barriers.full_barrier();
        status_ = status;
    }

private:
    std::uint8_t status_ = status::reset;
};

}  // namespace rpmsg::virtio
