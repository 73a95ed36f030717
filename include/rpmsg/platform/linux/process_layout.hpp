#pragma once

#include <rpmsg/bus/buffer_pool.hpp>
#include <rpmsg/bus/memory_layout.hpp>
#include <rpmsg/bus/memory_plan.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/resource_table.hpp>
#include <rpmsg/wire/header.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace rpmsg::platform {

/// The memory_layout of memory that two processes share, in bytes from its start. These are also the addresses in
/// the resource table and in descriptors: policy::offset{memory, 0}.
///
///     0      resource table, and from `bells` on the futex_words
///     4096   the vring to the driver, the vring to the device, each on pages of its own
///     …      the buffers to the driver, the buffers to the device
///
/// Whoever makes the memory lays it out with write_table() before it hands it over. The other side needs
/// no process_layout: table_in() and the bus find everything, and check it.
struct process_layout {
    std::uint16_t buffers = 64;  ///< In each direction: a power of two, 1 to 256 on a process_board.
    std::uint32_t to_driver_size = wire::default_buffer_size;  ///< Bytes with the header, 17 to 65535.
    std::uint32_t to_device_size = wire::default_buffer_size;  ///< The same, of those that the driver fills.
    std::uint32_t features = policy::linux_kernel::features;  ///< Offered; with buffer_sizes it states these.

    static constexpr std::size_t page = 4096;
    static constexpr std::size_t bells = 128;  ///< Of futex_words, behind the table.

    [[nodiscard]] constexpr memory_plan plan() const noexcept
    {
        return {.to_driver = {.count = buffers, .buffer_size = to_driver_size},
                .to_device = {.count = buffers, .buffer_size = to_device_size},
                .ring_align = page,
                .part_align = page,
                .reserved = page,
                .features = features,
                .driver = driven_by::rpmsg_bus};
    }
    [[nodiscard]] constexpr memory_layout places() const noexcept { return memory_layout{plan()}; }
    /// Of the whole: what shared_memory::create() or link_files::create() is to make.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return places().size(); }

    /// Writes the table of an RPMsg device, with both rings placed.
    ///
    /// @param memory  At least size() bytes, aligned to a page.
    /// @pre Nobody else has the memory yet, or whoever had it is gone.
    virtio::resource_table write_table(std::span<std::byte> memory) const noexcept
    {
        return *places().write_table(memory.first(bells));
    }

    /// The buffers, for the driver's bus. @param memory  At least size() bytes.
    [[nodiscard]] buffer_pool pool(std::span<std::byte> memory) const noexcept
    {
        return places().pool(memory);
    }

    /// The RPMsg device in memory that another process laid out.
    ///
    /// @return errc::out_of_map when there is not even the first page; otherwise as resource_table::find().
    static result<virtio::resource_table> table_in(std::span<std::byte> memory) noexcept
    {
        if (memory.size() < page)
            return errc::out_of_map;
        return virtio::resource_table::find(memory.first(bells));
    }
};
static_assert(sizeof(wire::rpmsg_table_with_sizes) <= process_layout::bells);

}  // namespace rpmsg::platform
