#pragma once

#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/virtio/table_rules.hpp>
#include <rpmsg/virtio/transport.hpp>
#include <rpmsg/wire/config_space.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace rpmsg::virtio {

/// The vdev entry of a table known when the program is built: takes no room, and its address is a constant.
template <auto& Table>
struct fixed_entry {
    /// Whether config space follows.
    static constexpr bool has_config = requires { Table.config; };
    [[nodiscard]] wire::resource_rpmsg& operator*() const noexcept { return Table.vdev; }
    [[nodiscard]] wire::resource_rpmsg* operator->() const noexcept { return &Table.vdev; }
};

/// The vdev entry of a table wherever it is.
struct found_entry {
    wire::resource_rpmsg* at = nullptr;
    /// Whether the memory that follows is ours to read. Of the memory, not of what a peer says in it.
    bool has_config = false;
    [[nodiscard]] wire::resource_rpmsg& operator*() const noexcept { return *at; }
    [[nodiscard]] wire::resource_rpmsg* operator->() const noexcept { return at; }
};

/// The transport of remoteproc: the vdev entry of a resource table that both sides see.
///
/// @tparam Entry  Points to the entry: found_entry or fixed_entry.
/// @spec Linux drivers/remoteproc/remoteproc_virtio.c, rproc_virtio_set_status()
/// @spec Linux drivers/remoteproc/remoteproc_virtio.c, rproc_virtio_finalize_features()
/// @spec Linux drivers/remoteproc/remoteproc_virtio.c, rp_find_vq()
template <typename Entry>
class basic_resource_table {
    static constexpr bool is_found = std::is_same_v<Entry, found_entry>;

public:
    /// No table: only to be assigned to.
    constexpr basic_resource_table() noexcept = default;
    /// @param entry  In shared memory, 4-byte aligned; outlives the bus. Nothing behind it is looked at.
    explicit constexpr basic_resource_table(wire::resource_rpmsg& entry) noexcept
        requires is_found
        : entry_{&entry}
    {}
    /// A table with one entry, as make_rpmsg_table() lays it out.
    // NOLINTNEXTLINE(google-explicit-constructor): `bus{table}` is the point
    constexpr basic_resource_table(wire::rpmsg_table& made) noexcept
        requires is_found
        : entry_{&made.vdev}
    {}
    /// The same with buffer sizes.
    // NOLINTNEXTLINE(google-explicit-constructor): `bus{table}` is the point
    constexpr basic_resource_table(wire::rpmsg_table_with_sizes& made) noexcept
        requires is_found
        : entry_{&made.vdev, true}
    {}

    /// Finds the RPMsg device in a table of which nothing is known.
    ///
    /// @param bytes   All of the table, in memory that the peer may change; 4-byte aligned.
    /// @param device  Which of the table's RPMsg devices, from 0.
    /// @return errc::not_ready while there is no table of version 1 with such an entry; errc::malformed when
    ///         an entry lies outside or has not two vrings; errc::misaligned.
    /// @spec Linux include/linux/remoteproc.h, struct resource_table
    /// @spec Linux include/linux/remoteproc.h, enum fw_resource_type
    static result<basic_resource_table> find(std::span<std::byte> bytes, std::uint32_t device = 0) noexcept
        requires is_found
    {
        basic_resource_table found;
        const auto fault = for_each_entry(bytes, [&](std::uint32_t type, std::span<std::byte> rest) noexcept {
            if (type != wire::resource_vdev)
                return table_rule::none;
            if (rest.size() < sizeof(wire::resource_rpmsg))
                return table_rule::entry_inside;
            auto& entry = *reinterpret_cast<wire::resource_rpmsg*>(rest.data());
            if (entry.id.read_once() != wire::virtio_id_rpmsg || device-- != 0)
                return table_rule::none;
            if (entry.num_of_vrings.read_once() < entry.vring.size())
                return table_rule::two_rings;
            found.entry_ = {&entry, rest.size() - sizeof entry >= sizeof(wire::config_space)};
            return table_rule::device_present;
        });
        if (found.entry_.at != nullptr)
            return found;
        return fault.broken != table_rule::none ? error_of(fault.broken) : errc::not_ready;
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

    /// The buffer sizes that the device states.
    ///
    /// @return errc::malformed when there is no config space, or one of another form.
    template <typename Barriers>
    result<wire::buffer_sizes> buffer_sizes(Barriers& barriers) const noexcept
    {
        if (!entry_.has_config || read(barriers, entry_->config_len) < sizeof(wire::config_space))
            return errc::malformed;
        const auto& config = reinterpret_cast<const wire::config_space&>(*(&*entry_ + 1));
        barriers.invalidate(&config, sizeof config);
        return config.read_once();
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
using resource_table = basic_resource_table<found_entry>;
/// The firmware's own table: a board says `static constexpr rpmsg::virtio::resource_table_at<table> resources{};`.
template <auto& Table>
using resource_table_at = basic_resource_table<fixed_entry<Table>>;

}  // namespace rpmsg::virtio
