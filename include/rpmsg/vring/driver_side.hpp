#pragma once

#include <rpmsg/config.hpp>
#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/policy/ring_size.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/vring/index.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/vring.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace rpmsg::vring {

/// A buffer that the device gave back, as its used element read once.
struct returned {
    std::uint16_t id;      ///< Of a descriptor that was with the device.
    std::uint32_t length;  ///< Bytes written, as the device says.
};

/// The driver's side of one split vring: lends buffers to the device, and takes them back.
///
/// Descriptor i describes buffer i for good, so it is written once. Which ones are with the device is
/// kept in private memory; what stands in shared memory is read once, checked, and never trusted.
///
/// @tparam Size       How many descriptors.
/// @tparam Coherence  How stores become visible.
/// @tparam Dialect    Layout, features and quirks of the device.
/// @context One caller at a time, thread or ISR. Nothing blocks; everything but attach() is O(1).
/// @spec virtio 1.2, 2.7 "Split Virtqueues"
template <policy::ring_size Size, policy::coherence Coherence, policy::dialect Dialect>
class driver_side {
public:
    using memory = split_of<Size, Dialect::alignment>;

    constexpr driver_side() noexcept = default;
    explicit constexpr driver_side(Coherence coherence) noexcept : coherence_{coherence} {}

    /// Makes the ring anew: all of it zero, nothing lent. O(bytes of the ring).
    ///
    /// @param start   at.size bytes, 4-byte aligned.
    /// @param events  Whether EVENT_IDX was negotiated.
    /// @spec virtio 1.2, 2.7.10.1 "Driver Requirements: Available Buffer Notification Suppression"
    void attach(std::byte* start, const layout& at, Size size, [[maybe_unused]] bool events) noexcept
    {
        // Byte by byte: the device may look already, and no memset of libc is wanted.
        auto* const bytes = reinterpret_cast<wire::little_endian<std::uint8_t>*>(start);
        for (std::size_t i = 0; i != at.size; ++i)
            bytes[i].write_once(0);
        coherence_.clean(start, at.size);
        ring_ = memory{start, at};
        size_ = size;
        next_avail_ = published_ = next_used_ = index{};
        for (auto& lent : lent_)
            lent = false;
        if constexpr (may_have_events) {
            told_ = index{};
            events_ = events;
        }
    }

    /// Says once where buffer `id` is.
    ///
    /// @param flags  wire::descriptor_write where the device is to write, else 0.
    /// @spec virtio 1.2, 2.7.13.1 "Placing Buffers Into The Descriptor Table"
    void describe(std::uint16_t id, std::uint64_t address, std::uint32_t length, std::uint16_t flags) noexcept
    {
        auto& descriptor = ring_.descriptor_at(id);
        descriptor.addr.write_once(address);
        descriptor.len.write_once(length);
        descriptor.flags.write_once(flags);
        coherence_.clean(&descriptor, sizeof descriptor);
    }

    /// Lends buffer `id` to the device. @pre It was described and is not lent.
    /// @spec virtio 1.2, 2.7.13.2 "Updating The Available Ring"
    /// @spec virtio 1.2, 2.7.13.3 "Updating idx"
    /// @spec virtio 1.2, 2.7.13.3.1 "Driver Requirements: Updating idx"
    RPMSG_HOT_PATH void make_available(std::uint16_t id) noexcept
    {
        lent_[id] = true;
        auto next = next_avail_;
        auto& entry = ring_.avail_at(next.slot(size_.count()));
        entry.write_once(id);
        coherence_.clean(&entry, sizeof entry);
        next_avail_ = ++next;
        // Pairs with the device's acquire of avail.idx: entry, descriptor and buffer are visible before it.
        coherence_.store_release(ring_.avail().idx, next.value());
        coherence_.clean(&ring_.avail().idx, sizeof(wire::le16));
    }

    /// Buffers that the device gave back and we have not taken, as far as we looked.
    [[nodiscard]] std::uint16_t waiting() const noexcept { return distance(next_used_, published_); }

    /// Descriptors of the ring.
    [[nodiscard]] std::uint16_t count() const noexcept { return size_.count(); }

    /// Buffers with the device, or given back and not taken.
    [[nodiscard]] std::uint16_t in_flight() const noexcept { return distance(next_used_, next_avail_); }

    /// Looks for buffers newly given back.
    ///
    /// @return errc{}, or errc::protocol when the device claims more than were lent.
    RPMSG_HOT_PATH errc look() noexcept
    {
        coherence_.invalidate(&ring_.used().idx, sizeof(wire::le16));
        // Pairs with the device's release of used.idx: the elements and buffers before it are visible.
        const index published{coherence_.load_acquire(ring_.used().idx)};
        if (distance(next_used_, published) > in_flight())
            return errc::protocol;
        published_ = published;
        return errc{};
    }

    /// The next buffer given back, still in the ring; looks for one if need be.
    ///
    /// @return errc::empty, or errc::protocol (the link is lost): it was never lent, or came back already.
    /// @spec virtio 1.2, 2.7.14 "Receiving Used Buffers From The Device"
    result<returned> peek_used() noexcept
    {
        if (waiting() == 0) {
            if (const auto why = look(); why != errc{})
                return why;
            if (waiting() == 0)
                return errc::empty;
        }
        returned next{};
        if (const auto why = peek_waiting(next.id); why != errc{})
            return why;
        next.length = length_waiting();
        return next;
    }

    /// The id of the next buffer given back. @pre waiting() != 0
    RPMSG_HOT_PATH errc peek_waiting(std::uint16_t& id) noexcept
    {
        auto& element = ring_.used_at(next_used_.slot(size_.count()));
        coherence_.invalidate(&element, sizeof element);
        const auto named = element.id.read_once();
        if (named >= size_.count() || !lent_[named])
            return errc::protocol;
        id = static_cast<std::uint16_t>(named);
        return errc{};
    }
    /// How many bytes the device says that it wrote there. @pre peek_waiting() was errc{}
    [[nodiscard]] RPMSG_HOT_PATH std::uint32_t length_waiting() const noexcept
    {
        return ring_.used_at(next_used_.slot(size_.count())).len.read_once();
    }

    /// Takes what peek_used() returned. @param id  Its id.
    void take_used(std::uint16_t id) noexcept
    {
        lent_[id] = false;
        ++next_used_;
    }

    /// Whether the device wants a doorbell for what was lent since it was last asked.
    ///
    /// @pre Something was.
    /// @spec virtio 1.2, 2.7.10.1
    /// @spec virtio 1.2, 2.7.13.4.1 "Driver Requirements: Notifying The Device"
    [[nodiscard]] bool peer_wants_doorbell() noexcept
    {
        // Pairs with the device's barrier between writing its wish and looking at the ring again.
        coherence_.full_barrier();
        if constexpr (may_have_events) {
            const auto before = std::exchange(told_, next_avail_);
            if (events_) {
                auto& event = ring_.avail_event(size_.count());
                coherence_.invalidate(&event, sizeof event);
                return passes_event(index{coherence_.load_relaxed(event)}, before, next_avail_);
            }
        }
        if constexpr (!Dialect::obeys_suppression)
            return true;
        coherence_.invalidate(&ring_.used().flags, sizeof(wire::le16));
        return (coherence_.load_relaxed(ring_.used().flags) & wire::used_no_notify) == 0;
    }

    /// Asks the device not to ring when it gives buffers back. A wish: it may ring all the same.
    /// @spec virtio 1.2, 2.7.7.1 "Driver Requirements: Used Buffer Notification Suppression"
    void suppress_doorbells() noexcept
    {
        if (!events_is_on())  // an event index that stays behind is silence enough
            write_flags(wire::avail_no_interrupt);
    }

    /// Asks the device to ring, and looks again: what came back meanwhile rings no more.
    ///
    /// @return As look().
    /// @spec virtio 1.2, 2.7.7.1; virtio 1.2, 2.7.14
    errc enable_doorbells() noexcept
    {
        if (events_is_on()) {
            auto& event = ring_.used_event(size_.count());
            coherence_.store_relaxed(event, published_.value());  // the entry behind all that we know of
            coherence_.clean(&event, sizeof event);
        } else {
            write_flags(0);
        }
        // Pairs with the device's barrier between publishing used.idx and reading our wish.
        coherence_.full_barrier();
        return look();
    }

private:
    static constexpr bool may_have_events = (Dialect::features & policy::feature::event_idx) != 0;

    [[nodiscard]] bool events_is_on() const noexcept
    {
        if constexpr (may_have_events)
            return events_;
        else
            return false;
    }
    void write_flags(std::uint16_t flags) noexcept
    {
        coherence_.store_relaxed(ring_.avail().flags, flags);
        coherence_.clean(&ring_.avail().flags, sizeof(wire::le16));
    }

    struct nothing {};

    memory ring_;
    index next_avail_;  // the entry we lend next
    index next_used_;   // the entry we take back next; behind next_avail_ by what is lent
    index published_;   // used.idx when we last looked
    [[no_unique_address]] std::conditional_t<may_have_events, index, nothing>
        told_{};  // next_avail_ when last asked
    [[no_unique_address]] std::conditional_t<may_have_events, bool, std::false_type> events_{};
    std::array<bool, Size::capacity> lent_{};  // a byte each: it is looked at for every message
    [[no_unique_address]] Size size_{};
    [[no_unique_address]] Coherence coherence_{};
};

}  // namespace rpmsg::vring
