#pragma once

#include <rpmsg/bus/link.hpp>
#include <rpmsg/policy/address_map.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/resource_table.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/header.hpp>
#include <rpmsg/wire/resource_table.hpp>
#include <rpmsg/wire/vring.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <span>
#include <vector>

/// Status bytes to go through one by one.
using statuses = std::initializer_list<std::uint8_t>;

/// One ring of a link and the hand of the other side in it: nothing that it writes is checked.
struct ring_hand {
    rpmsg::vring::split parts;
    std::uint16_t count = 0;
    std::span<std::byte> bytes;

    rpmsg::wire::descriptor& descriptor(std::uint16_t id) const { return parts.descriptor_at(id); }
    rpmsg::wire::avail& avail() const { return parts.avail(); }
    rpmsg::wire::used& used() const { return parts.used(); }
    rpmsg::wire::le16& avail_entry(std::uint16_t i) const
    {
        return parts.avail_at(static_cast<std::uint16_t>(i & (count - 1U)));
    }
    rpmsg::wire::used_element& used_entry(std::uint16_t i) const
    {
        return parts.used_at(static_cast<std::uint16_t>(i & (count - 1U)));
    }
    void zero() const { std::fill(bytes.begin(), bytes.end(), std::byte{}); }

    /// A driver's move: one more avail entry.
    void publish(std::uint16_t head) const
    {
        const auto idx = avail().idx.get();
        avail_entry(idx) = head;
        avail().idx = static_cast<std::uint16_t>(idx + 1U);
    }
    /// A device's move: one more used element.
    void give_back(std::uint32_t id, std::uint32_t length) const
    {
        const auto idx = used().idx.get();
        used_entry(idx) = {.id = id, .len = length};
        used().idx = static_cast<std::uint16_t>(idx + 1U);
    }
};

/// The memory of a link as both sides see it at different addresses: the table, two rings, buffers.
///
/// Offset   0x0000  table
///          0x1000  vring 0, to the driver
///          0x2000  vring 1, to the device
///          0x4000  buffers of 512 bytes
struct link_memory {
    static constexpr std::uint32_t base = 0x2000'0000;  ///< What the peer calls the first byte.
    static constexpr std::uint32_t bytes = 0x1'0000;
    static constexpr std::uint32_t align = 16;
    static constexpr std::array<std::uint32_t, 2> ring_at{0x1000, 0x2000};
    static constexpr std::uint32_t buffers_at = 0x4000;
    static constexpr std::uint32_t buffer_size = rpmsg::wire::default_buffer_size;

    // A page more than is in the map, which is aligned to a page: whoever writes there has left it.
    std::vector<std::byte> storage = std::vector<std::byte>(bytes + 2 * 4096, std::byte{});
    std::byte* start = storage.data() + 4096 - reinterpret_cast<std::uintptr_t>(storage.data()) % 4096;
    rpmsg::policy::offset map{std::span{start, bytes}, base};
    rpmsg::wire::rpmsg_table& table;
    std::array<ring_hand, 2> ring;

    /// @param features  What the device offers.
    explicit link_memory(std::uint16_t to_driver = 8, std::uint16_t to_device = 8, std::uint32_t features = 1)
        : table{*new(start) rpmsg::wire::rpmsg_table{rpmsg::wire::make_rpmsg_table(
              features, {.address = base + ring_at[0], .align = align, .num = to_driver, .notify_id = 70},
              {.address = base + ring_at[1], .align = align, .num = to_device, .notify_id = 71})}},
          ring{hand(ring_at[0], to_driver), hand(ring_at[1], to_device)}
    {}
    link_memory(const link_memory&) = delete;
    link_memory& operator=(const link_memory&) = delete;

    /// A ring as a side with this rule sees it at this offset.
    ring_hand hand(std::uint32_t offset, std::uint16_t count,
                   rpmsg::policy::ring_alignment rule = rpmsg::policy::ring_alignment::virtio) const
    {
        const auto at = rpmsg::vring::layout_of(count, align, rule);
        return {rpmsg::vring::split{start + offset, at}, count, {start + offset, at.size}};
    }

    rpmsg::wire::little_endian<std::uint8_t>& status() const { return table.vdev.status; }
    /// The same as a number, for tests to print.
    unsigned status_now() const { return table.vdev.status.get(); }
    std::span<std::byte> piece(std::uint32_t offset, std::size_t size) const
    {
        return {start + offset, size};
    }
    std::vector<std::byte> copy() const { return {start, start + bytes}; }

    // What a driver does, with the rings where the table says

    /// The address of a buffer, as the descriptors give it: vring 0's first, then vring 1's.
    static constexpr std::uint32_t buffer(std::uint16_t id) { return base + buffers_at + id * buffer_size; }

    /// Makes the rings anew and posts a buffer for each descriptor of vring 0. Status stays as it is.
    void make_rings() const
    {
        for (const auto& one : ring)
            one.zero();
        for (std::uint16_t id = 0; id != ring[0].count; ++id)
            post(id, buffer(id), buffer_size);
    }
    void post(std::uint16_t id, std::uint64_t address, std::uint32_t length) const
    {
        ring[0].descriptor(id) = {
            .addr = address, .len = length, .flags = rpmsg::wire::descriptor_write, .next = 0};
        ring[0].publish(id);
    }
    void send(std::uint16_t id, std::uint64_t address, std::uint32_t length) const
    {
        ring[1].descriptor(id) = {.addr = address, .len = length, .flags = 0, .next = 0};
        ring[1].publish(id);
    }
    /// All of a driver's start, at once: a device that does not look meanwhile sees only the end of it.
    void driver_starts() const
    {
        status() = std::uint8_t{0};
        make_rings();
        table.vdev.gfeatures = table.vdev.dfeatures.get();
        status() = std::uint8_t{7};
    }
};

/// What an end of a link answers when it is asked for a buffer.
struct answer {
    rpmsg::errc why{};
    rpmsg::room buffer{};
};

/// Whether messages wait, or something is wrong, after a look.
template <typename End>
bool has_rx(End& end)
{
    return end.rx().look() != rpmsg::errc{} || end.rx().waiting() != 0;
}

/// The next message, after a look.
template <typename End>
answer next_message(End& end)
{
    answer a;
    a.why = end.rx().look();
    if (a.why == rpmsg::errc{})
        a.why = end.rx().waiting() != 0 ? end.peek_rx(a.buffer) : rpmsg::errc::empty;
    return a;
}

/// Whether more than `keep` buffers are free, after a look if need be.
template <typename End>
rpmsg::errc look_for_tx(End& end, unsigned keep = 0)
{
    if (end.has_tx(keep))
        return rpmsg::errc{};
    if (const auto why = end.tx().look(); why != rpmsg::errc{})
        return why;
    return end.has_tx(keep) ? rpmsg::errc{} : rpmsg::errc::full;
}

/// A buffer to send in, if more than `keep` are free. As the bus does, the link is given up when it is broken.
template <typename End>
answer next_buffer(End& end, unsigned keep = 0)
{
    answer a;
    a.why = look_for_tx(end, keep);
    if (a.why == rpmsg::errc{})
        a.why = end.take_tx(a.buffer, keep, 0);
    if (a.why == rpmsg::errc::protocol || a.why == rpmsg::errc::out_of_map)
        end.give_up();
    return a;
}

/// The least there is: one thread plays both sides.
struct plain_board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::offset;
    using coherence = rpmsg::policy::single_core;
    using ring = rpmsg::policy::ring_up_to<16>;
};
