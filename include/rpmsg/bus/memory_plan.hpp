#pragma once

#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/wire/header.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <cstdint>

namespace rpmsg {

/// Who drives the link, and so what it can be given.
enum class driven_by : std::uint8_t {
    linux_kernel,  ///< At most 256 buffers a direction, as many in one as in the other, all in one piece, and of 512
                   ///< bytes unless the sizes are negotiated.
    rpmsg_bus,  ///< A bus of this library, or another driver that takes what it is given.
};

/// An address that is left to the layout: the next one that is free.
inline constexpr std::uint64_t next_free = ~std::uint64_t{0};

/// One direction of a link, as it is planned.
struct planned_direction {
    std::uint32_t count = 16;                               ///< Descriptors, and buffers: a power of two.
    std::uint32_t buffer_size = wire::default_buffer_size;  ///< Bytes with the header: 17 to 65535.
    std::uint64_t ring = next_free;     ///< Where the vring begins, as the device sees it.
    std::uint64_t buffers = next_free;  ///< Where the buffers begin. For to_device: a second pool, if stated.
    std::uint32_t notify_id = wire::resource_any;  ///< What the doorbell carries.

    friend constexpr bool operator==(const planned_direction&, const planned_direction&) noexcept = default;
};

/// What the memory of a link has to hold: in goes this, and out comes memory_layout with all places.
///
/// The parts follow each other: what is reserved, the vring to the driver, the vring to the device, the buffers
/// to the driver, the buffers to the device; but for those whose place is stated.
struct memory_plan {
    std::uint64_t address =
        0;  ///< Of the first byte, as the device sees it, and the table and descriptors say it.
    std::uint64_t size = 0;  ///< Bytes that there are; 0: as many as it takes.
    planned_direction to_driver{};
    planned_direction to_device{};
    std::uint32_t ring_align = 4096;  ///< Of the used ring in a vring: a power of two, 4 to part_align.
    std::uint32_t part_align = 4096;  ///< Of each part: a power of two. Linux sets memory aside by pages.
    std::uint32_t cache_line = 1;     ///< Bytes of the longer line of both sides; 1 where nothing is cached.
    std::uint32_t reserved = 0;       ///< Bytes left free at the start: for a table, for doorbell words.
    policy::ring_alignment ring_rule = policy::ring_alignment::virtio;
    std::uint32_t features = policy::feature::name_service;  ///< Offered by the table.
    driven_by driver = driven_by::linux_kernel;
    bool driver_places_rings = false;  ///< The table leaves the vrings' addresses to the driver.

    friend constexpr bool operator==(const memory_plan&, const memory_plan&) noexcept = default;
};

/// Why a plan cannot be laid out.
enum class plan_fault : std::uint8_t {
    none,
    bad_count,           ///< A count is no power of two from 1 to 32768.
    too_many_for_linux,  ///< More than 256 buffers in a direction.
    unequal_for_linux,   ///< More buffers in one direction than in the other.
    no_room_for_header,  ///< A buffer has less than 17 bytes.
    buffer_too_long,     ///< A buffer has more than 65535 bytes.
    size_for_linux,      ///< A buffer has not 512 bytes, and the sizes are not negotiated.
    bad_alignment,   ///< ring_align or part_align is no power of two, or ring_align not from 4 to part_align.
    bad_cache_line,  ///< cache_line is no power of two, or longer than part_align.
    ring_shares_line,  ///< ring_align is less than a cache line: the used ring would lie in one of the driver's.
    buffers_share_line,   ///< A buffer's size is no multiple of the cache line.
    misaligned,           ///< The memory or a part of it begins at no multiple of part_align.
    two_pools_for_linux,  ///< The buffers to the device do not follow those to the driver.
    overlap,              ///< Two parts overlap.
    outside,              ///< A part begins before the memory, or ends behind it.
};

}  // namespace rpmsg
