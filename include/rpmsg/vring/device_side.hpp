#pragma once

#include <rpmsg/config.hpp>
#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/policy/ring_size.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/vring/index.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/vring.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace rpmsg::vring {

/// A buffer that the driver made available, as its descriptor read once.
struct available {
    std::uint16_t head;     ///< What make_used() takes. Below the ring size.
    std::uint32_t length;   ///< Bytes, as the driver says.
    std::uint64_t address;  ///< As the driver says: for the address map, never for us.
};

/// The device's side of one split vring: takes what the driver made available, and gives it back used.
///
/// All of its state is private; what stands in shared memory is read once, checked, and never trusted.
///
/// @tparam Size       How many descriptors.
/// @tparam Coherence  How stores become visible.
/// @tparam Dialect    Layout, features and quirks of the driver.
/// @context One caller at a time, thread or ISR. Nothing blocks; everything is O(1).
/// @spec virtio 1.2, 2.7 "Split Virtqueues"
template <policy::ring_size Size, policy::coherence Coherence, policy::dialect Dialect>
class device_side {
public:
    using memory = split_of<Size, Dialect::alignment>;

    constexpr device_side() noexcept = default;
    explicit constexpr device_side(Coherence coherence) noexcept : coherence_{coherence} {}

    /// Starts on rings that the driver just made: takes from its first entry on.
    ///
    /// @param returned  used.idx as it stands; not 0 where the driver prefills the used ring.
    /// @param events    Whether EVENT_IDX was negotiated.
    void attach(const memory& ring, Size size, std::uint16_t returned, [[maybe_unused]] bool events) noexcept
    {
        ring_ = ring;
        size_ = size;
        next_avail_ = published_ = index{};
        used_ = index{returned};
        takeable_ = size.count();
        if constexpr (may_have_events) {
            told_ = used_;
            event_ = 0;
            events_ = events;
        }
    }

    /// Says in the ring that a device is on it; the driver zeroes that when it makes the ring anew. Until
    /// enable_doorbells() it asks for no doorbell, where EVENT_IDX is on.
    void leave_mark() noexcept
    {
        if constexpr (has_event_word)
            write_event(mark);
    }

    /// Whether the driver made the ring anew since attach(): it no longer holds what we wrote last.
    [[nodiscard]] RPMSG_HOT_PATH bool was_reset() noexcept { return lost_index() || lost_mark(); }

    /// Whether used.idx is not what we wrote: enough, but for a driver that starts over before we wrote
    /// anything, or after 65536 entries.
    [[nodiscard]] RPMSG_HOT_PATH bool lost_index() noexcept
    {
        coherence_.invalidate(&ring_.used().idx, sizeof(wire::le16));
        return coherence_.load_relaxed(ring_.used().idx) != used_.value();
    }
    /// Whether what we keep in avail_event is gone: every driver zeroes it with both of its rings. Where EVENT_IDX is
    /// on that says nothing after enable_doorbells() at the first entry, which is 0.
    [[nodiscard]] RPMSG_HOT_PATH bool lost_mark() noexcept
    {
        if constexpr (!has_event_word)
            return false;
        auto& event = ring_.avail_event(size_.count());
        coherence_.invalidate(&event, sizeof event);
        return coherence_.load_relaxed(event) != event_written();
    }
    /// Whether a device was on a ring since its driver made it, and gave nothing back.
    ///
    /// @param ring  Where it lies: all that the device writes was invalidated.
    [[nodiscard]] static bool is_marked(const memory& ring, const Size& size, Coherence& coherence) noexcept
    {
        if constexpr (has_event_word)
            return coherence.load_relaxed(ring.avail_event(size.count())) == mark;
        else
            return false;
    }

    /// Entries that the driver published and we have not taken, as far as we looked.
    [[nodiscard]] std::uint16_t waiting() const noexcept { return distance(next_avail_, published_); }

    /// Descriptors of the ring.
    [[nodiscard]] std::uint16_t count() const noexcept { return size_.count(); }

    /// Buffers taken and not given back.
    [[nodiscard]] std::uint16_t in_flight() const noexcept
    {
        return static_cast<std::uint16_t>(size_.count() - takeable_);
    }

    /// Looks for newly published entries.
    ///
    /// @return errc{}, or errc::protocol when the driver claims more than it has.
    /// @spec virtio 1.2, 2.7.6.1 "Driver Requirements: The Virtqueue Available Ring"
    RPMSG_HOT_PATH errc look() noexcept
    {
        coherence_.invalidate(&ring_.avail().idx, sizeof(wire::le16));
        // Pairs with the driver's release of avail.idx: the entries and descriptors before it are visible.
        const index published{coherence_.load_acquire(ring_.avail().idx)};
        // More than it can have without those that we have. (An index that goes back is almost 2^16 ahead.)
        if (distance(next_avail_, published) > takeable_)
            return errc::protocol;
        published_ = published;
        return errc{};
    }

    /// The next buffer, still in the ring; looks for one if need be.
    ///
    /// @return errc::empty; errc::protocol (the link is lost); or errc::malformed when the entry names no
    ///         descriptor: it was skipped, there is nothing to give back.
    result<available> peek_available() noexcept
    {
        if (waiting() == 0) {
            if (const auto why = look(); why != errc{})
                return why;
            if (waiting() == 0)
                return errc::empty;
        }
        const auto head = head_waiting();
        if (head >= size_.count()) {
            skip_available();
            return errc::malformed;
        }
        return describe(head);
    }

    /// The head that the next entry names: no descriptor's unless it is below count(). @pre waiting() != 0
    [[nodiscard]] RPMSG_HOT_PATH std::uint16_t head_waiting() noexcept
    {
        auto& entry = ring_.avail_at(next_avail_.slot(size_.count()));
        coherence_.invalidate(&entry, sizeof entry);
        return entry.read_once();
    }

    /// Takes what peek_available() returned.
    void take_available() noexcept
    {
        ++next_avail_;
        --takeable_;
    }

    /// Passes by an entry that names no descriptor: there is nothing to give back.
    void skip_available() noexcept { ++next_avail_; }

    /// Reads a buffer's descriptor, once. @pre head < count()
    /// @spec virtio 1.2, 2.7.5.1 "Device Requirements: The Virtqueue Descriptor Table"
    [[nodiscard]] available describe(std::uint16_t head) noexcept
    {
        auto& descriptor = ring_.descriptor_at(head);
        coherence_.invalidate(&descriptor, sizeof descriptor);
        return {head, descriptor.len.read_once(), descriptor.addr.read_once()};
    }

    /// Gives a taken buffer back.
    ///
    /// @param head    Of a buffer that was taken, once for each time it was.
    /// @param length  Bytes written, or the whole length where nothing was.
    /// @spec virtio 1.2, 2.7.8.2 "Device Requirements: The Virtqueue Used Ring"
    RPMSG_HOT_PATH void make_used(std::uint16_t head, std::uint32_t length) noexcept
    {
        auto& element = ring_.used_at(used_.slot(size_.count()));
        element.id.write_once(head);
        element.len.write_once(length);
        coherence_.clean(&element, sizeof element);
        ++used_;
        ++takeable_;
        // Pairs with the driver's acquire of used.idx: element and buffer are visible before it.
        coherence_.store_release(ring_.used().idx, used_.value());
        coherence_.clean(&ring_.used().idx, sizeof(wire::le16));
    }

    /// Whether the driver wants a doorbell for what was given back since it was last asked.
    ///
    /// @pre Something was.
    /// @spec virtio 1.2, 2.7.7.2 "Device Requirements: Used Buffer Notification Suppression"
    [[nodiscard]] bool peer_wants_doorbell() noexcept
    {
        // Pairs with the driver's barrier between writing its wish and looking at the ring again.
        coherence_.full_barrier();
        if constexpr (may_have_events) {
            const auto before = std::exchange(told_, used_);
            if (events_) {
                auto& event = ring_.used_event(size_.count());
                coherence_.invalidate(&event, sizeof event);
                return passes_event(index{coherence_.load_relaxed(event)}, before, used_);
            }
        }
        if constexpr (!Dialect::obeys_suppression)
            return true;
        coherence_.invalidate(&ring_.avail().flags, sizeof(wire::le16));
        return (coherence_.load_relaxed(ring_.avail().flags) & wire::avail_no_interrupt) == 0;
    }

    /// Asks the driver not to ring when it makes buffers available. A wish: it may ring all the same.
    /// @spec virtio 1.2, 2.7.10.2 "Device Requirements: Available Buffer Notification Suppression"
    void suppress_doorbells() noexcept
    {
        if (!events_is_on())  // an event index that stays behind is silence enough
            write_flags(wire::used_no_notify);
    }

    /// Asks the driver to ring, and looks again: what was published meanwhile rings no more.
    ///
    /// @return As look().
    /// @spec virtio 1.2, 2.7.10.2
    errc enable_doorbells() noexcept
    {
        if (events_is_on())
            write_event(published_.value());  // the entry behind all that we know of
        else
            write_flags(0);
        // Pairs with the driver's barrier between publishing avail.idx and reading our wish.
        coherence_.full_barrier();
        return look();
    }

private:
    static constexpr bool may_have_events = (Dialect::features & policy::feature::event_idx) != 0;
    static constexpr bool has_event_word = Dialect::alignment == policy::ring_alignment::virtio;
    // Any value but 0, which is what a driver that starts over puts there.
    static constexpr std::uint16_t mark = 0x5250;

    [[nodiscard]] bool events_is_on() const noexcept
    {
        if constexpr (may_have_events)
            return events_;
        else
            return false;
    }
    [[nodiscard]] std::uint16_t event_written() const noexcept
    {
        if constexpr (may_have_events)
            return event_;
        else
            return mark;
    }

    void write_flags(std::uint16_t flags) noexcept
    {
        coherence_.store_relaxed(ring_.used().flags, flags);
        coherence_.clean(&ring_.used().flags, sizeof(wire::le16));
    }
    void write_event(std::uint16_t value) noexcept
    {
        auto& event = ring_.avail_event(size_.count());
        if constexpr (may_have_events)
            event_ = value;
        coherence_.store_relaxed(event, value);
        coherence_.clean(&event, sizeof event);
    }

    template <int>
    struct nothing {};

    memory ring_;
    index next_avail_;            // the entry we take next
    index published_;             // avail.idx when we last looked
    index used_;                  // used.idx, and the entry we give back next
    std::uint16_t takeable_ = 0;  // descriptors that we do not have
    [[no_unique_address]] std::conditional_t<may_have_events, index, nothing<0>>
        told_{};  // used_ when last asked
    [[no_unique_address]] std::conditional_t<may_have_events, std::uint16_t, nothing<1>>
        event_{};  // as we wrote it
    [[no_unique_address]] std::conditional_t<may_have_events, bool, std::false_type> events_{};
    [[no_unique_address]] Size size_{};
    [[no_unique_address]] Coherence coherence_{};
};

}  // namespace rpmsg::vring
