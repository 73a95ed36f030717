#pragma once

#include <rpmsg/bus/buffer_pool.hpp>
#include <rpmsg/bus/memory_plan.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/known_rings.hpp>
#include <rpmsg/virtio/resource_table.hpp>
#include <rpmsg/virtio/table_check.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/config_space.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace rpmsg {

/// Where everything of a link lies: one description, from which the table, the pool, the linker symbols and the
/// device tree follow.
///
/// @code
/// // both sides include this
/// inline constexpr auto shared = rpmsg::lay_out<rpmsg::memory_plan{.address = 0x3ED0'0000, .cache_line = 32}>();
/// // firmware
/// [[gnu::section(".resource_table")]] constinit auto table = shared.table();
/// // driver
/// rpmsg::driver_bus<my_board> bus{table, shared.pool(memory)};
/// @endcode
/// Made of a plan by lay_out(), which checks it; the constructor takes what it gets.
class memory_layout {
public:
    /// No memory: only to be assigned to.
    constexpr memory_layout() noexcept = default;
    /// @param plan  Not checked: see fault_of().
    explicit constexpr memory_layout(const memory_plan& plan) noexcept : plan_{plan}
    {
        auto end = plan.address + plan.reserved;
        const auto place = [&](std::uint64_t wanted, std::uint64_t size) {
            const auto at = wanted == next_free ? aligned(end) : wanted;
            end = at + size;
            return virtio::placed{at, size};
        };
        for (const auto which : directions)
            ring_[index(which)] = place(planned(which).ring, parts(which).size);
        for (const auto which : directions)
            buffers_[index(which)] = place(planned(which).buffers,
                                           std::uint64_t{planned(which).count} * planned(which).buffer_size);
        for (const auto& part : {ring_[0], ring_[1], buffers_[0], buffers_[1]})
            if (const auto reach = aligned(part.end()) - plan.address; reach > size_)
                size_ = reach;
    }

    [[nodiscard]] constexpr const memory_plan& plan() const noexcept { return plan_; }
    [[nodiscard]] constexpr const planned_direction& planned(policy::vring_id which) const noexcept
    {
        return which == policy::vring_id::to_driver ? plan_.to_driver : plan_.to_device;
    }

    /// Of the first byte, as the device sees it.
    [[nodiscard]] constexpr std::uint64_t address() const noexcept { return plan_.address; }
    /// Bytes up to the end of the last part, a multiple of part_align.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return static_cast<std::size_t>(size_); }
    /// Where a vring lies.
    [[nodiscard]] constexpr const virtio::placed& ring(policy::vring_id which) const noexcept
    {
        return ring_[index(which)];
    }
    /// Where the parts of a vring lie, in bytes from its start.
    [[nodiscard]] constexpr vring::layout parts(policy::vring_id which) const noexcept
    {
        return vring::layout_of(planned(which).count, plan_.ring_align, plan_.ring_rule);
    }
    /// Where the buffers of one direction lie.
    [[nodiscard]] constexpr const virtio::placed& buffers(policy::vring_id which) const noexcept
    {
        return buffers_[index(which)];
    }
    /// Bytes from the start of the memory to one of its parts.
    [[nodiscard]] constexpr std::size_t offset_of(const virtio::placed& part) const noexcept
    {
        return static_cast<std::size_t>(part.address - plan_.address);
    }
    /// Whether all buffers lie in one piece, those to the driver first.
    [[nodiscard]] constexpr bool has_one_pool() const noexcept
    {
        return buffers_[1].address == aligned(buffers_[0].end());
    }
    [[nodiscard]] constexpr wire::buffer_sizes sizes() const noexcept
    {
        return {plan_.to_driver.buffer_size, plan_.to_device.buffer_size};
    }

    /// The driver's buffers, and memory for rings that are left to it. @param memory  At least size() bytes.
    [[nodiscard]] constexpr buffer_pool pool(std::span<std::byte> memory) const noexcept
    {
        const auto cut = [&](const virtio::placed& part) {
            return memory.subspan(offset_of(part), static_cast<std::size_t>(part.size));
        };
        const auto& last = ring_[1].address < ring_[0].address ? ring_[0] : ring_[1];
        const auto& first = ring_[1].address < ring_[0].address ? ring_[1] : ring_[0];
        return {.to_driver = cut(buffers_[0]),
                .to_device = cut(buffers_[1]),
                .to_driver_size = plan_.to_driver.buffer_size,
                .to_device_size = plan_.to_device.buffer_size,
                .rings = cut({first.address, last.end() - first.address})};
    }

    /// The vrings, for transports without a table.
    [[nodiscard]] constexpr virtio::ring_places places() const noexcept
    {
        const auto place = [this](policy::vring_id which) {
            return virtio::ring_place{.address = ring(which).address,
                                      .num = planned(which).count,
                                      .align = plan_.ring_align,
                                      .notify_id = planned(which).notify_id};
        };
        return {.to_driver = place(policy::vring_id::to_driver),
                .to_device = place(policy::vring_id::to_device),
                .features = plan_.features};
    }

    /// The table, without config space. @pre The vrings lie below 4 GiB.
    [[nodiscard]] constexpr wire::rpmsg_table plain_table() const noexcept
    {
        return wire::make_rpmsg_table(plan_.features, request(policy::vring_id::to_driver),
                                      request(policy::vring_id::to_device));
    }
    /// The table with the buffer sizes. @pre The same.
    [[nodiscard]] constexpr wire::rpmsg_table_with_sizes table_with_sizes() const noexcept
    {
        return wire::make_rpmsg_table(plan_.features, request(policy::vring_id::to_driver),
                                      request(policy::vring_id::to_device), sizes());
    }
    /// Whether the table states the buffer sizes.
    [[nodiscard]] constexpr bool states_sizes() const noexcept
    {
        return (plan_.features & policy::feature::buffer_sizes) != 0;
    }
    /// Whether a table can name both vrings: its addresses have 32 bits.
    [[nodiscard]] constexpr bool fits_table() const noexcept
    {
        return ring_[0].end() <= wire::resource_any && ring_[1].end() <= wire::resource_any;
    }

    /// Writes the table, with the buffer sizes if they are negotiated.
    ///
    /// @param at  88 bytes, or 100 with sizes; 4-byte aligned.
    /// @return errc::out_of_memory, errc::misaligned: of `at`; errc::out_of_map: a vring above 4 GiB.
    /// @pre No peer has the memory yet.
    result<virtio::resource_table> write_table(std::span<std::byte> at) const noexcept
    {
        if (at.size() < (states_sizes() ? sizeof(wire::rpmsg_table_with_sizes) : sizeof(wire::rpmsg_table)))
            return errc::out_of_memory;
        if (reinterpret_cast<std::uintptr_t>(at.data()) % alignof(wire::rpmsg_table) != 0)
            return errc::misaligned;
        if (!fits_table())
            return errc::out_of_map;
        if (states_sizes())
            return virtio::resource_table{*std::construct_at(
                reinterpret_cast<wire::rpmsg_table_with_sizes*>(at.data()), table_with_sizes())};
        return virtio::resource_table{
            *std::construct_at(reinterpret_cast<wire::rpmsg_table*>(at.data()), plain_table())};
    }

    /// Checks somebody's table against this memory: before an image is started, or a running one attached to.
    ///
    /// @param limits  What else the driver can give; its places, its lines and the ring rule are this layout's.
    [[nodiscard]] virtio::table_verdict check(std::span<std::byte> table,
                                              virtio::table_limits limits = {}) const noexcept
    {
        limits.ring = ring_;
        limits.cache_line = plan_.cache_line;
        limits.ring_rule = plan_.ring_rule;
        return virtio::check_table(table, limits);
    }

private:
    static constexpr std::array directions{policy::vring_id::to_driver, policy::vring_id::to_device};
    static constexpr std::size_t index(policy::vring_id which) noexcept
    {
        return static_cast<std::size_t>(which);
    }

    [[nodiscard]] constexpr std::uint64_t aligned(std::uint64_t at) const noexcept
    {
        const auto mask = std::uint64_t{plan_.part_align} - 1;
        return (at + mask) & ~mask;
    }
    [[nodiscard]] constexpr wire::vring_request request(policy::vring_id which) const noexcept
    {
        return {.address = plan_.driver_places_rings ? wire::resource_any
                                                     : static_cast<std::uint32_t>(ring(which).address),
                .align = plan_.ring_align,
                .num = planned(which).count,
                .notify_id = planned(which).notify_id};
    }

    memory_plan plan_{};
    std::array<virtio::placed, 2> ring_{};
    std::array<virtio::placed, 2> buffers_{};
    std::uint64_t size_ = 0;
};

}  // namespace rpmsg
