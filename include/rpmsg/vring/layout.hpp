#pragma once

#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/wire/vring.hpp>

#include <cstddef>
#include <cstdint>

namespace rpmsg::vring {

/// Where the parts of a split vring lie, in bytes from its start; descriptors are at 0.
///
/// @spec virtio 1.2, 2.7.2 "Legacy Interfaces: A Note on Virtqueue Layout"
struct layout {
    std::size_t avail;        ///< flags, idx, ring.
    std::size_t used_event;   ///< Behind the avail ring.
    std::size_t used;         ///< flags, idx, ring.
    std::size_t avail_event;  ///< Behind the used ring.
    std::size_t size;         ///< Of the whole.
};

/// Whether a used ring can be aligned so: a power of two, from 4 bytes (it holds le32) to 64 KiB.
[[nodiscard]] constexpr bool aligns_rings(std::uint32_t align) noexcept
{
    return align >= 4 && align <= 65536 && (align & (align - 1)) == 0;
}

/// The layout of a vring whose start is itself aligned to `align`.
///
/// @param num    Descriptors: a power of two, 1 to 32768.
/// @param align  See aligns_rings().
[[nodiscard]] constexpr layout
layout_of(std::uint32_t num, std::uint32_t align,
          policy::ring_alignment rule = policy::ring_alignment::virtio) noexcept
{
    layout l{};
    l.avail = num * sizeof(wire::descriptor);
    l.used_event = l.avail + sizeof(wire::avail) + num * sizeof(wire::le16);
    const auto end =
        rule == policy::ring_alignment::virtio ? l.used_event + sizeof(wire::le16) : l.used_event;
    l.used = (end + align - 1) & ~(std::size_t{align} - 1);
    l.avail_event = l.used + sizeof(wire::used) + num * sizeof(wire::used_element);
    l.size = rule == policy::ring_alignment::virtio ? l.avail_event + sizeof(wire::le16) : l.avail_event;
    return l;
}

/// A split vring in this side's memory. Shared: everything in it is input.
class split {
public:
    constexpr split() noexcept = default;

    /// @param start  layout::size bytes, 4-byte aligned.
    split(std::byte* start, const layout& at) noexcept
        : descriptors_{reinterpret_cast<wire::descriptor*>(start)},
          avail_{reinterpret_cast<wire::avail*>(start + at.avail)},
          used_{reinterpret_cast<wire::used*>(start + at.used)}
    {}

    [[nodiscard]] wire::descriptor& descriptor_at(std::uint16_t id) const noexcept
    {
        return descriptors_[id];
    }
    [[nodiscard]] wire::avail& avail() const noexcept { return *avail_; }
    [[nodiscard]] wire::used& used() const noexcept { return *used_; }
    [[nodiscard]] wire::le16& avail_at(std::uint16_t slot) const noexcept
    {
        return reinterpret_cast<wire::le16*>(avail_ + 1)[slot];
    }
    [[nodiscard]] wire::used_element& used_at(std::uint16_t slot) const noexcept
    {
        return reinterpret_cast<wire::used_element*>(used_ + 1)[slot];
    }
    /// The driver's wish, where EVENT_IDX is on.
    [[nodiscard]] wire::le16& used_event(std::uint16_t count) const noexcept { return avail_at(count); }
    /// The device's wish, where EVENT_IDX is on and the layout has room for it.
    [[nodiscard]] wire::le16& avail_event(std::uint16_t count) const noexcept
    {
        return reinterpret_cast<wire::le16&>(used_at(count));
    }

private:
    wire::descriptor* descriptors_ = nullptr;
    wire::avail* avail_ = nullptr;
    wire::used* used_ = nullptr;
};

}  // namespace rpmsg::vring
