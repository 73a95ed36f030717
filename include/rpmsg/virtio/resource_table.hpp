#pragma once

#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/virtio/transport.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace rpmsg::virtio {

/// The vdev entry of a table known when the program is built: takes no room, and its address is a constant.
template <wire::rpmsg_table& Table>
struct fixed_entry {
    [[nodiscard]] wire::resource_rpmsg& operator*() const noexcept { return Table.vdev; }
    [[nodiscard]] wire::resource_rpmsg* operator->() const noexcept { return &Table.vdev; }
};

/// The transport of remoteproc: the vdev entry of a resource table that both sides see.
///
/// @tparam Entry  Points to the entry: a wire::resource_rpmsg*, or fixed_entry.
/// @spec Linux drivers/remoteproc/remoteproc_virtio.c, rproc_virtio_set_status()
/// @spec Linux drivers/remoteproc/remoteproc_virtio.c, rproc_virtio_finalize_features()
/// @spec Linux drivers/remoteproc/remoteproc_virtio.c, rp_find_vq()
template <typename Entry>
class basic_resource_table {
public:
    /// No table: only to be assigned to.
    constexpr basic_resource_table() noexcept = default;
    /// @param entry  In shared memory, 4-byte aligned; outlives the bus.
    explicit constexpr basic_resource_table(wire::resource_rpmsg& entry) noexcept
        requires std::is_pointer_v<Entry>
        : entry_{&entry}
    {}
    /// A table with one entry, as make_rpmsg_table() lays it out.
    // NOLINTNEXTLINE(google-explicit-constructor): `bus{table}` is the point
    constexpr basic_resource_table(wire::rpmsg_table& table) noexcept
        requires std::is_pointer_v<Entry>
        : entry_{&table.vdev}
    {}

    /// Finds the RPMsg device in a table of which nothing is known.
    ///
    /// @param bytes  All of the table, in memory that the peer may change; 4-byte aligned.
    /// @return errc::not_ready while there is no table of version 1 with such an entry; errc::malformed when
    ///         an entry lies outside or has not two vrings; errc::misaligned.
    /// @spec Linux include/linux/remoteproc.h, struct resource_table
    /// @spec Linux include/linux/remoteproc.h, enum fw_resource_type
    static result<basic_resource_table> find(std::span<std::byte> bytes) noexcept
        requires std::is_pointer_v<Entry>
    {
        if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(wire::le32) != 0)
            return errc::misaligned;
        if (bytes.size() < sizeof(wire::resource_table_header))
            return errc::malformed;
        const auto& header = *reinterpret_cast<const wire::resource_table_header*>(bytes.data());
        if (header.ver.read_once() != wire::resource_table_version)
            return errc::not_ready;
        const std::size_t entries = header.num.read_once();
        const auto room = bytes.size() - sizeof header;
        if (entries > room / sizeof(wire::le32))
            return errc::malformed;
        const auto* const offsets = reinterpret_cast<const wire::le32*>(bytes.data() + sizeof header);
        for (std::size_t i = 0; i != entries; ++i) {
            const std::size_t at = offsets[i].read_once();
            if (at % alignof(wire::le32) != 0)
                return errc::misaligned;
            if (at > bytes.size() || bytes.size() - at < sizeof(wire::le32))
                return errc::malformed;
            auto& entry = *reinterpret_cast<wire::resource_rpmsg*>(bytes.data() + at);
            if (entry.type.read_once() != wire::resource_vdev)
                continue;
            if (bytes.size() - at < sizeof entry)
                return errc::malformed;
            if (entry.id.read_once() != wire::virtio_id_rpmsg)
                continue;
            if (entry.num_of_vrings.read_once() < entry.vring.size())
                return errc::malformed;
            return basic_resource_table{entry};
        }
        return errc::not_ready;
    }

    template <typename Barriers>
    std::uint8_t status(Barriers& barriers) const noexcept
    {
        barriers.invalidate(&entry_->status, sizeof entry_->status);
        return entry_->status.read_once();
    }

    template <typename Barriers>
    std::uint32_t accepted(Barriers& barriers) const noexcept
    {
        return read(barriers, entry_->gfeatures);
    }

    template <typename Barriers>
    ring_place ring(Barriers& barriers, policy::vring_id which) const noexcept
    {
        auto& vring = at(which);
        return {ring_mark(barriers, which), read(barriers, vring.num), read(barriers, vring.align),
                read(barriers, vring.notifyid)};
    }

    template <typename Barriers>
    std::uint32_t ring_mark(Barriers& barriers, policy::vring_id which) const noexcept
    {
        return read(barriers, at(which).da);
    }

    template <typename Barriers>
    void ask_for_reset(Barriers& barriers) noexcept
    {
        write_status(barriers, static_cast<std::uint8_t>(status(barriers) | status::needs_reset));
    }

    /// errc::not_ready while the firmware has not laid its table out.
    template <typename Barriers>
    result<void> check(Barriers& barriers) const noexcept
    {
        if (read(barriers, entry_->type) != wire::resource_vdev ||
            read(barriers, entry_->id) != wire::virtio_id_rpmsg)
            return errc::not_ready;
        return {};
    }

    template <typename Barriers>
    void set_status(Barriers& barriers, std::uint8_t status) noexcept
    {
        write_status(barriers, status);
    }

    template <typename Barriers>
    std::uint32_t offered(Barriers& barriers) const noexcept
    {
        return read(barriers, entry_->dfeatures);
    }

    template <typename Barriers>
    void accept(Barriers& barriers, std::uint32_t features) noexcept
    {
        write(barriers, entry_->gfeatures, features);
    }

    template <typename Barriers>
    bool is_placed(Barriers& barriers, policy::vring_id which) const noexcept
    {
        return ring_mark(barriers, which) != wire::resource_any;
    }

    template <typename Barriers>
    void place_ring(Barriers& barriers, policy::vring_id which, std::uint64_t address) noexcept
    {
        write(barriers, at(which).da, static_cast<std::uint32_t>(address));
    }

private:
    [[nodiscard]] wire::resource_vring& at(policy::vring_id which) const noexcept
    {
        return entry_->vring[static_cast<std::size_t>(which)];
    }
    template <typename Barriers>
    static std::uint32_t read(Barriers& barriers, const wire::le32& field) noexcept
    {
        barriers.invalidate(&field, sizeof field);
        return field.read_once();
    }
    // Both sides write fields of the same line, so a line is fetched before a field of it changes: what is cached of
    // the others may be older than what the peer wrote there.
    template <typename Barriers>
    static void write(Barriers& barriers, wire::le32& field, std::uint32_t value) noexcept
    {
        barriers.invalidate(&field, sizeof field);
        field.write_once(value);
        barriers.clean(&field, sizeof field);
    }
    // The rings and the other fields are visible before a status that says so, and a status before
    // whatever we look at next.
    template <typename Barriers>
    void write_status(Barriers& barriers, std::uint8_t value) noexcept
    {
        barriers.invalidate(&entry_->status, sizeof entry_->status);
        barriers.full_barrier();
        entry_->status.write_once(value);
        barriers.clean(&entry_->status, sizeof entry_->status);
        barriers.full_barrier();
    }

    [[no_unique_address]] Entry entry_{};
};

/// A table wherever it is.
using resource_table = basic_resource_table<wire::resource_rpmsg*>;
/// The firmware's own table: a board says `static constexpr rpmsg::virtio::resource_table_at<table> resources{};`.
template <wire::rpmsg_table& Table>
using resource_table_at = basic_resource_table<fixed_entry<Table>>;

}  // namespace rpmsg::virtio
