#pragma once

#include <rpmsg/result.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rpmsg::virtio {

/// What a resource table has to keep to, by the loaders that read it.
///
/// @spec Linux drivers/remoteproc/remoteproc_core.c, rproc_handle_resources()
enum class table_rule : std::uint8_t {
    none,              ///< All are kept.
    table_aligned,     ///< It begins at a multiple of 4.
    header_present,    ///< 16 bytes at least.
    version,           ///< 1.
    header_reserved,   ///< 0.
    offsets_inside,    ///< As many as the header says.
    entry_aligned,     ///< At a multiple of 4.
    entry_inside,      ///< All of it in the table.
    entry_reserved,    ///< 0.
    needs_iommu,       ///< A device's memory is mapped by an IOMMU, or not at all.
    device_present,    ///< A virtio device with the id of RPMsg.
    two_rings,         ///< It has two vrings.
    ring_size,         ///< A power of two, not 0, and no more than the driver can have.
    ring_align,        ///< A power of two, from 4 bytes and a cache line on.
    ring_address,      ///< 0xFFFFFFFF, or in the memory set aside for that ring; 0 is an address.
    ring_physical,     ///< `pa` is 0: it is the driver's.
    rings_apart,       ///< They do not overlap.
    config_inside,     ///< The config space that is announced is there: 11 bytes where sizes are stated.
    config_sizes,      ///< Version 1, 11 bytes, and room for a message in each buffer.
    driver_untouched,  ///< gfeatures and status are 0: the driver writes them.
};

/// The rule as a sentence on the table that breaks it.
[[nodiscard]] constexpr std::string_view reason_of(table_rule broken) noexcept
{
    switch (broken) {
    case table_rule::none: return "the table keeps all rules";
    case table_rule::table_aligned: return "the table does not begin at a multiple of 4";
    case table_rule::header_present: return "there is no room for the header of a table";
    case table_rule::version: return "the version is not 1: perhaps there is no table";
    case table_rule::header_reserved: return "the reserved words of the header are not 0";
    case table_rule::offsets_inside: return "the header says more entries than there is room for";
    case table_rule::entry_aligned: return "an entry does not begin at a multiple of 4";
    case table_rule::entry_inside: return "an entry lies outside the table, or reaches out of it";
    case table_rule::entry_reserved: return "the reserved bytes of an entry are not 0";
    case table_rule::needs_iommu: return "an entry maps device memory, and there is no IOMMU";
    case table_rule::device_present: return "no entry is a virtio device with the id of RPMsg, 7";
    case table_rule::two_rings: return "the RPMsg device has not two vrings";
    case table_rule::ring_size:
        return "a vring's size is 0, no power of two, or more than the driver can have";
    case table_rule::ring_align: return "a vring's alignment is no power of two, or less than a cache line";
    case table_rule::ring_address: return "a vring asks for an address outside the memory set aside for it";
    case table_rule::ring_physical: return "a vring's physical address is not 0";
    case table_rule::rings_apart: return "the two vrings overlap";
    case table_rule::config_inside: return "the config space that is announced is not there";
    case table_rule::config_sizes: return "the config space is of another version, or a buffer has no room";
    case table_rule::driver_untouched: return "the accepted features or the status are not 0";
    }
    return {};
}

/// Whose move it is when a table breaks a rule: not_ready for one that is not there, or not yet.
[[nodiscard]] constexpr errc error_of(table_rule broken) noexcept
{
    switch (broken) {
    case table_rule::none: return errc{};
    case table_rule::version:
    case table_rule::device_present: return errc::not_ready;
    case table_rule::table_aligned:
    case table_rule::entry_aligned:
    case table_rule::ring_align: return errc::misaligned;
    case table_rule::ring_size: return errc::bad_ring_size;
    case table_rule::ring_address:
    case table_rule::rings_apart: return errc::out_of_map;
    case table_rule::needs_iommu: return errc::unsupported;
    default: return errc::malformed;
    }
}

/// The first rule that a table breaks, and in which entry, from 0.
struct table_fault {
    table_rule broken = table_rule::none;
    std::uint32_t entry = 0;
};

/// Goes over the entries of a table of which nothing is known, each field read once.
///
/// @param bytes  All of the table; the peer may change it.
/// @param visit  (entry's type, bytes from its start to the table's end) -> the rule that it breaks; not
///               none: stop.
/// @return What visit said last, or what is wrong with the header and with where entries lie.
template <typename Visit>
[[nodiscard]] table_fault for_each_entry(std::span<std::byte> bytes, Visit visit) noexcept
{
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(wire::le32) != 0)
        return {table_rule::table_aligned};
    if (bytes.size() < sizeof(wire::resource_table_header))
        return {table_rule::header_present};
    const auto& header = *reinterpret_cast<const wire::resource_table_header*>(bytes.data());
    if (header.ver.read_once() != wire::resource_table_version)
        return {table_rule::version};
    const std::size_t entries = header.num.read_once();
    if (entries > (bytes.size() - sizeof header) / sizeof(wire::le32))
        return {table_rule::offsets_inside};
    const auto* const offsets = reinterpret_cast<const wire::le32*>(bytes.data() + sizeof header);
    for (std::uint32_t i = 0; i != entries; ++i) {
        const std::size_t at = offsets[i].read_once();
        if (at % alignof(wire::le32) != 0)
            return {table_rule::entry_aligned, i};
        if (at > bytes.size() || bytes.size() - at < sizeof(wire::le32))
            return {table_rule::entry_inside, i};
        const auto type = reinterpret_cast<const wire::le32*>(bytes.data() + at)->read_once();
        if (const auto broken = visit(type, bytes.subspan(at)); broken != table_rule::none)
            return {broken, i};
    }
    return {};
}

}  // namespace rpmsg::virtio
