#pragma once

#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/policy/ring_size.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/wire/vring.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace rpmsg::vring {

/// Where the parts of a split vring lie, in bytes from its start; descriptors are at 0.
///
/// @spec virtio 1.2, 2.7.2 "Legacy Interfaces: A Note on Virtqueue Layout"
/// @spec virtio 1.2, 2.7.1 "Driver Requirements: Virtqueues"
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

/// The layout of a ring that somebody describes, if the board can use it.
///
/// @param size  Takes num over.
/// @param line  Bytes of a cache line: what each side writes stands in lines of its own.
/// @return errc::bad_ring_size, errc::misaligned.
template <policy::ring_size Size>
[[nodiscard]] constexpr errc lay_out(layout& at, Size& size, std::uint32_t num, std::uint32_t align,
                                     policy::ring_alignment rule, std::uint32_t line = 1) noexcept
{
    if (!size.adopt(num))
        return errc::bad_ring_size;
    if (align < line || (Size::align != 0 ? align != Size::align : !aligns_rings(align)))
        return errc::misaligned;
    at = layout_of(size.count(), Size::align != 0 ? Size::align : align, rule);
    return errc{};
}

/// The parts of a ring whose layout is known when it is found.
class found_parts {
public:
    constexpr found_parts() noexcept = default;
    found_parts(std::byte* start, const layout& at) noexcept
        : descriptors_{reinterpret_cast<wire::descriptor*>(start)},
          avail_{reinterpret_cast<wire::avail*>(start + at.avail)},
          used_{reinterpret_cast<wire::used*>(start + at.used)}
    {}

protected:
    [[nodiscard]] wire::descriptor* descriptors() const noexcept { return descriptors_; }
    [[nodiscard]] wire::avail* avail_part() const noexcept { return avail_; }
    [[nodiscard]] wire::used* used_part() const noexcept { return used_; }

private:
    wire::descriptor* descriptors_ = nullptr;
    wire::avail* avail_ = nullptr;
    wire::used* used_ = nullptr;
};

/// The parts of a ring whose layout the compiler knows.
template <layout At>
class known_parts {
public:
    constexpr known_parts() noexcept = default;
    known_parts(std::byte* start, const layout& /*at*/) noexcept : start_{start} {}

protected:
    [[nodiscard]] wire::descriptor* descriptors() const noexcept
    {
        return reinterpret_cast<wire::descriptor*>(start_);
    }
    [[nodiscard]] wire::avail* avail_part() const noexcept
    {
        return reinterpret_cast<wire::avail*>(start_ + At.avail);
    }
    [[nodiscard]] wire::used* used_part() const noexcept
    {
        return reinterpret_cast<wire::used*>(start_ + At.used);
    }

private:
    std::byte* start_ = nullptr;
};

/// A split vring in this side's memory. Shared: everything in it is input.
template <typename Parts>
class basic_split : Parts {
public:
    constexpr basic_split() noexcept = default;

    /// @param start  layout::size bytes, 4-byte aligned.
    basic_split(std::byte* start, const layout& at) noexcept : Parts{start, at} {}

    [[nodiscard]] wire::descriptor& descriptor_at(std::uint16_t id) const noexcept
    {
        return this->descriptors()[id];
    }
    [[nodiscard]] wire::avail& avail() const noexcept { return *this->avail_part(); }
    [[nodiscard]] wire::used& used() const noexcept { return *this->used_part(); }
    [[nodiscard]] wire::le16& avail_at(std::uint16_t slot) const noexcept
    {
        return reinterpret_cast<wire::le16*>(this->avail_part() + 1)[slot];
    }
    [[nodiscard]] wire::used_element& used_at(std::uint16_t slot) const noexcept
    {
        return reinterpret_cast<wire::used_element*>(this->used_part() + 1)[slot];
    }
    /// The driver's wish, where EVENT_IDX is on.
    [[nodiscard]] wire::le16& used_event(std::uint16_t count) const noexcept { return avail_at(count); }
    /// The device's wish, where EVENT_IDX is on and the layout has room for it.
    [[nodiscard]] wire::le16& avail_event(std::uint16_t count) const noexcept
    {
        return reinterpret_cast<wire::le16&>(used_at(count));
    }
};

/// One wherever it is, of any size.
using split = basic_split<found_parts>;

/// The same of the size and alignment that a board states, as far as it does.
template <policy::ring_size Size, policy::ring_alignment Rule>
using split_of = std::conditional_t<
    Size::align == 0, split,
    basic_split<known_parts<layout_of(Size::capacity, Size::align == 0 ? 4 : Size::align, Rule)>>>;

}  // namespace rpmsg::vring
