#pragma once

#include <rpmsg/bus/buffer_pool.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/resource_table.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/header.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

namespace rpmsg::platform {

/// Where everything lies in memory that two processes share, in bytes from its start. These are also the
/// addresses in the resource table and in descriptors: policy::offset{memory, 0}.
///
///     0      resource table, and from `bells` on the futex_words
///     4096   the vring to the driver, the vring to the device, each on pages of its own
///     …      the buffers to the driver, the buffers to the device
///
/// Whoever makes the memory lays it out with write_table() before it hands it over. The other side needs
/// no process_layout: table_in() and the bus find everything, and check it.
struct process_layout {
    std::uint16_t buffers = 64;  ///< In each direction: a power of two, 1 to 256 on a process_board.
    std::uint32_t buffer_size = wire::default_buffer_size;  ///< Bytes with the header, 17 to 65535.

    static constexpr std::size_t page = 4096;
    static constexpr std::size_t bells = 128;  ///< Of futex_words, behind the table.

    [[nodiscard]] constexpr std::size_t ring_to_driver() const noexcept { return page; }
    [[nodiscard]] constexpr std::size_t ring_to_device() const noexcept
    {
        return ring_to_driver() + ring_size();
    }
    [[nodiscard]] constexpr std::size_t buffers_to_driver() const noexcept
    {
        return ring_to_device() + ring_size();
    }
    [[nodiscard]] constexpr std::size_t buffers_to_device() const noexcept
    {
        return buffers_to_driver() + pool_size();
    }
    /// Of the whole: what shared_memory::create() or link_files::create() is to make.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return buffers_to_device() + pool_size(); }

    /// Writes the table of an RPMsg device that offers `features`, with both rings placed.
    ///
    /// @param memory  At least size() bytes, aligned to a page.
    /// @pre Nobody else has the memory yet, or whoever had it is gone.
    wire::rpmsg_table& write_table(std::span<std::byte> memory,
                                   std::uint32_t features = policy::linux_kernel::features) const noexcept
    {
        const auto request = [this](std::size_t address) {
            return wire::vring_request{
                .address = static_cast<std::uint32_t>(address), .align = page, .num = buffers};
        };
        return *new (memory.data()) wire::rpmsg_table(
            wire::make_rpmsg_table(features, request(ring_to_driver()), request(ring_to_device())));
    }

    /// The buffers, for the driver's bus. @param memory  At least size() bytes.
    [[nodiscard]] buffer_pool pool(std::span<std::byte> memory) const noexcept
    {
        return {.to_driver = memory.subspan(buffers_to_driver(), pool_size()),
                .to_device = memory.subspan(buffers_to_device(), pool_size()),
                .to_driver_size = buffer_size,
                .to_device_size = buffer_size};
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

private:
    static constexpr std::size_t whole_pages(std::size_t bytes) noexcept
    {
        return (bytes + page - 1) & ~(page - 1);
    }

    [[nodiscard]] constexpr std::size_t ring_size() const noexcept
    {
        return whole_pages(vring::layout_of(buffers, page).size);
    }
    [[nodiscard]] constexpr std::size_t pool_size() const noexcept
    {
        return whole_pages(std::size_t{buffers} * buffer_size);
    }
};
static_assert(sizeof(wire::rpmsg_table) <= process_layout::bells);

}  // namespace rpmsg::platform
