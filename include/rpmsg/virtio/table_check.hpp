#pragma once

#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/table_rules.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/config_space.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rpmsg::virtio {

/// Memory set aside for something, as the device sees it.
struct placed {
    std::uint64_t address = 0;
    std::uint64_t size = 0;  ///< Bytes.

    [[nodiscard]] constexpr std::uint64_t end() const noexcept { return address + size; }
    /// Whether `bytes` from `at` on lie in it.
    [[nodiscard]] constexpr bool holds(std::uint64_t at, std::uint64_t bytes) const noexcept
    {
        return at >= address && bytes <= size && at - address <= size - bytes;
    }
    /// Whether any byte lies in both.
    [[nodiscard]] constexpr bool overlaps(const placed& other) const noexcept
    {
        return size != 0 && other.size != 0 && address < other.end() && other.address < end();
    }
    friend constexpr bool operator==(const placed&, const placed&) noexcept = default;
};

/// What a driver can give the device whose table it checks.
struct table_limits {
    std::array<placed, 2>
        ring{};                ///< Set aside for each vring, where a table may ask for one; empty: anywhere.
    std::uint32_t device = 0;  ///< Of the table's RPMsg devices, the one whose vrings these are; from 0.
    std::uint32_t most_buffers = 256;  ///< Of one direction.
    std::uint32_t cache_line = 1;      ///< Bytes: what each side writes stands in lines of its own.
    policy::ring_alignment ring_rule = policy::ring_alignment::virtio;
    bool has_iommu = false;   ///< Entries may map device memory.
    bool is_running = false;  ///< The device runs: a driver has written into its table.
};

/// What the check of a table found.
struct table_verdict {
    table_rule broken = table_rule::none;  ///< The first rule that it breaks.
    std::uint32_t entry = 0;               ///< In which entry, from 0.
    std::uint32_t devices = 0;             ///< RPMsg devices that were seen.
    std::uint32_t unknown = 0;             ///< Entries of unknown types: Linux passes over them, and warns.

    /// Whether the table keeps all rules.
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return broken == table_rule::none; }
    /// Whose move it is, or errc{}.
    [[nodiscard]] constexpr errc error() const noexcept { return error_of(broken); }
    /// What is wrong, as a sentence.
    [[nodiscard]] constexpr std::string_view reason() const noexcept { return reason_of(broken); }
};

/// Checks one entry after the other; see check_table().
class table_checker {
public:
    explicit constexpr table_checker(const table_limits& limits) noexcept : limits_{limits} {}
    explicit table_checker(const table_limits&&) = delete;

    /// RPMsg devices that were seen.
    [[nodiscard]] std::uint32_t devices() const noexcept { return devices_; }
    /// Entries of unknown types.
    [[nodiscard]] std::uint32_t unknown() const noexcept { return unknown_; }

    /// @param rest  From the entry's start to the table's end.
    /// @return The first rule that the entry breaks.
    table_rule check(std::uint32_t type, std::span<std::byte> rest) noexcept
    {
        const auto plain = [&](std::size_t size, std::size_t reserved) {
            if (rest.size() < size)
                return table_rule::entry_inside;
            return word(rest, reserved) != 0 ? table_rule::entry_reserved : table_rule::none;
        };
        switch (type) {
        case wire::resource_carveout: return plain(wire::carveout_size, 20);
        case wire::resource_devmem: {
            const auto broken = plain(wire::devmem_size, 20);
            return broken != table_rule::none || limits_.has_iommu ? broken : table_rule::needs_iommu;
        }
        case wire::resource_trace: return plain(wire::trace_size, 12);
        case wire::resource_vdev: return check_vdev(rest);
        default:
            if (type < wire::resource_vendor_first || type > wire::resource_vendor_last)
                ++unknown_;
            return table_rule::none;
        }
    }

private:
    table_rule check_vdev(std::span<std::byte> rest) noexcept
    {
        constexpr auto head = offsetof(wire::resource_rpmsg, vring);
        if (rest.size() < head)
            return table_rule::entry_inside;
        const auto& entry = *reinterpret_cast<const wire::resource_rpmsg*>(rest.data());
        const std::size_t rings = entry.num_of_vrings.read_once();
        const std::size_t config = entry.config_len.read_once();
        const auto room = rest.size() - head;
        if (rings * sizeof(wire::resource_vring) > room ||
            config > room - rings * sizeof(wire::resource_vring))
            return table_rule::entry_inside;
        for (const auto& zero : entry.reserved)
            if (zero.read_once() != 0)
                return table_rule::entry_reserved;
        if (entry.id.read_once() != wire::virtio_id_rpmsg)
            return table_rule::none;  // another virtio device: not ours to judge
        const bool is_meant = devices_++ == limits_.device;
        if (rings != entry.vring.size())
            return table_rule::two_rings;
        if (!limits_.is_running && (entry.gfeatures.read_once() != 0 || entry.status.read_once() != 0))
            return table_rule::driver_untouched;
        std::array<placed, 2> asked{};
        for (std::size_t i = 0; i != asked.size(); ++i)
            if (const auto broken =
                    check_ring(entry.vring[i], is_meant ? limits_.ring[i] : placed{}, asked[i]);
                broken != table_rule::none)
                return broken;
        if (asked[0].overlaps(asked[1]))
            return table_rule::rings_apart;
        if ((entry.dfeatures.read_once() & policy::feature::buffer_sizes) == 0)
            return table_rule::none;
        if (config < sizeof(wire::config_space))
            return table_rule::config_inside;
        const auto& sizes = reinterpret_cast<const wire::config_space&>(*(&entry + 1));
        return sizes.read_once() ? table_rule::none : table_rule::config_sizes;
    }

    table_rule check_ring(const wire::resource_vring& ring, const placed& aside, placed& asked) const noexcept
    {
        const auto num = ring.num.read_once();
        const auto align = ring.align.read_once();
        const auto address = ring.da.read_once();
        if (num == 0 || (num & (num - 1)) != 0 || num > limits_.most_buffers)
            return table_rule::ring_size;
        if (!vring::aligns_rings(align) || align < limits_.cache_line)
            return table_rule::ring_align;
        if (ring.pa.read_once() != 0)
            return table_rule::ring_physical;
        if (address == wire::resource_any)
            return table_rule::none;
        asked = {address, vring::layout_of(num, align, limits_.ring_rule).size};
        // Peers align the used ring's address, and others its offset: one place only if the start is aligned.
        const bool fits = aside.size == 0 || aside.holds(asked.address, asked.size);
        return fits && address % align == 0 ? table_rule::none : table_rule::ring_address;
    }

    static std::uint32_t word(std::span<std::byte> entry, std::size_t at) noexcept
    {
        return reinterpret_cast<const wire::le32*>(entry.data() + at)->read_once();
    }

    const table_limits& limits_;
    std::uint32_t devices_ = 0;
    std::uint32_t unknown_ = 0;
};

/// Checks a table as strictly as Linux's loader does, and for what goes wrong only later: a driver's look at an
/// image that it is to start, or at a device that runs.
///
/// @param table  All of it: in an image's .resource_table, or where the device runs with it; 4-byte aligned.
///               The bus checks again what it uses: of memory that a peer changes this is no more than a look.
/// @context Any; allocates nothing. As long as the table has entries.
/// @spec Linux drivers/remoteproc/remoteproc_core.c, rproc_handle_resources()
[[nodiscard]] inline table_verdict check_table(std::span<std::byte> table,
                                               const table_limits& limits) noexcept
{
    table_checker checker{limits};
    auto fault = for_each_entry(table, [&](std::uint32_t type, std::span<std::byte> rest) noexcept {
        return checker.check(type, rest);
    });
    if (fault.broken == table_rule::none && checker.devices() <= limits.device)
        fault.broken = table_rule::device_present;
    if (fault.broken == table_rule::none || fault.broken > table_rule::offsets_inside) {
        const auto& header = *reinterpret_cast<const wire::resource_table_header*>(table.data());
        if (header.reserved[0].read_once() != 0 || header.reserved[1].read_once() != 0)
            fault = {table_rule::header_reserved};
    }
    return {fault.broken, fault.entry, checker.devices(), checker.unknown()};
}

}  // namespace rpmsg::virtio
