#include "inspect_table.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/virtio/resource_table.hpp>
#include <rpmsg/virtio/status.hpp>

#include <algorithm>

namespace tool::inspection {

namespace wire = rpmsg::wire;
namespace virtio = rpmsg::virtio;

namespace {

constexpr std::size_t ring_list = offsetof(wire::resource_rpmsg, vring);
constexpr std::uint32_t most_entries = 64;  // no table has as many: what says more is none

std::uint32_t word(const picture& memory, std::size_t at) { return memory.at<wire::le32>(at).get(); }

// The library's checks take memory that they could write to. They only read.
std::span<std::byte> from(const picture& memory, std::size_t at)
{
    return {const_cast<std::byte*>(memory.bytes.data()) + at, memory.bytes.size() - at};
}

struct kind_of_entry {
    std::uint32_t type;
    std::string_view kind;
    std::vector<std::string_view> words;  // after the type; "" is not shown
    std::size_t reserved;                 // where its reserved word is
    std::size_t name;
    std::size_t size;
};

const kind_of_entry& plain_kind(std::uint32_t type)
{
    static const std::array<kind_of_entry, 4> kinds{{
        {wire::resource_carveout, "carveout", {"da", "pa", "len", "flags"}, 20, 24, wire::carveout_size},
        {wire::resource_devmem, "devmem", {"da", "pa", "len", "flags"}, 20, 24, wire::devmem_size},
        {wire::resource_trace, "trace", {"da", "len"}, 12, 16, wire::trace_size},
        {~0U, "unknown", {}, 0, 0, 4},
    }};
    return *std::ranges::find_if(kinds,
                                 [type](const auto& kind) { return kind.type == type || kind.type == ~0U; });
}

std::string text_at(const picture& memory, std::size_t at)
{
    const auto raw = memory.at<std::array<char, 32>>(at);
    return {raw.begin(), std::ranges::find(raw, '\0')};
}

void read_plain(const picture& memory, table_entry& entry, const std::string& where, findings& faults)
{
    const auto& kind = plain_kind(entry.type);
    entry.kind = entry.type >= wire::resource_vendor_first && entry.type <= wire::resource_vendor_last
                     ? "vendor"
                     : kind.kind;
    if (!memory.holds(entry.offset, kind.size)) {
        faults.add("entry_outside", where, "{} of {} bytes reaches out of the memory", entry.kind, kind.size);
        return;
    }
    std::size_t at = entry.offset + 4;
    for (const auto name : kind.words) {
        entry.fields.push_back({name, word(memory, at)});
        at += 4;
    }
    if (kind.reserved == 0)
        return;
    if (const auto reserved = word(memory, entry.offset + kind.reserved); reserved != 0)
        faults.add("entry_reserved", where, "its reserved word is {:#x}, not 0", reserved);
    entry.name = text_at(memory, entry.offset + kind.name);
    if (entry.name->size() == 32)
        faults.add("entry_name", where, "its name is not terminated");
}

void read_vdev(const picture& memory, table_entry& entry, const std::string& where, findings& faults)
{
    entry.kind = "vdev";
    if (!memory.holds(entry.offset, ring_list)) {
        faults.add("entry_outside", where, "vdev of {} bytes and more reaches out of the memory", ring_list);
        return;
    }
    wire::resource_rpmsg head{};
    std::memcpy(&head, memory.bytes.data() + entry.offset, ring_list);
    const std::uint32_t rings = head.num_of_vrings.get();
    const std::uint32_t config = head.config_len;
    entry.is_rpmsg = head.id == wire::virtio_id_rpmsg;
    entry.fields = {{"id", head.id},
                    {"notifyid", head.notifyid},
                    {"dfeatures", head.dfeatures},
                    {"gfeatures", head.gfeatures},
                    {"config_len", config},
                    {"status", head.status},
                    {"num_of_vrings", rings}};
    if (head.reserved[0] != 0 || head.reserved[1] != 0)
        faults.add("entry_reserved", where, "its reserved bytes are {:#x} and {:#x}, not 0",
                   head.reserved[0].get(), head.reserved[1].get());
    for (std::uint32_t i = 0; i != rings; ++i) {
        const auto at = entry.offset + ring_list + i * sizeof(wire::resource_vring);
        if (!memory.holds(at, sizeof(wire::resource_vring))) {
            faults.add("entry_outside", where, "its vring {} reaches out of the memory", i);
            return;
        }
        entry.vrings.push_back(memory.at<wire::resource_vring>(at));
    }
    const auto config_at = entry.offset + ring_list + rings * sizeof(wire::resource_vring);
    if (!memory.holds(config_at, config))
        faults.add("config_outside", where, "its config space of {} bytes reaches out of the memory", config);
    if (entry.is_rpmsg && rings != 2)
        faults.add("ring_count", where, "the RPMsg device has {} vrings, not 2", rings);
    for (std::uint32_t i = 0; entry.is_rpmsg && i != rings; ++i)
        if (entry.vrings[i].pa != 0)
            faults.add("ring_physical", where, "pa of its vring {} is {:#x}, not 0", i,
                       entry.vrings[i].pa.get());
}

void read_sizes(const picture& memory, const table_entry& entry, table_report& table,
                const std::string& where, findings& faults)
{
    const auto field = [&](std::size_t i) { return entry.fields[i].value; };
    if (entry.fields.empty() || (field(2) & rpmsg::policy::feature::buffer_sizes) == 0)
        return;
    const auto at = entry.offset + ring_list + entry.vrings.size() * sizeof(wire::resource_vring);
    if (field(4) < sizeof(wire::config_space) || !memory.holds(at, sizeof(wire::config_space))) {
        faults.add("config_short", where,
                   "buffer sizes are offered, and the config space has {} bytes, not {}", field(4),
                   sizeof(wire::config_space));
        return;
    }
    const auto sizes = memory.at<wire::config_space>(at).read_once();
    if (sizes)
        table.sizes = *sizes;
    else
        faults.add("config_sizes", where, "the config space is of another version, or a buffer has no room");
}

}  // namespace

bool looks_like_table(const picture& memory, std::size_t at)
{
    if (at % 4 != 0 || !memory.holds(at, sizeof(wire::resource_table_header)))
        return false;
    const auto header = memory.at<wire::resource_table_header>(at);
    if (header.num == 0 || header.num > most_entries)
        return false;
    for (std::uint32_t i = 0; i != header.num; ++i) {
        const auto slot = at + sizeof header + 4 * std::size_t{i};
        if (!memory.holds(slot, 4))
            return false;
        const auto entry = at + std::size_t{word(memory, slot)};
        if (memory.holds(entry, ring_list) && word(memory, entry) == wire::resource_vdev &&
            word(memory, entry + 4) == wire::virtio_id_rpmsg)
            return true;
    }
    return false;
}

std::optional<table_report> search_table(const picture& memory)
{
    std::optional<table_report> found;
    for (std::size_t at = 0; memory.holds(at, sizeof(wire::rpmsg_table)); at += 4) {
        if (word(memory, at) != wire::resource_table_version || word(memory, at + 8) != 0 ||
            word(memory, at + 12) != 0 || !looks_like_table(memory, at) ||
            !virtio::resource_table::find(from(memory, at)))
            continue;
        if (found) {
            ++found->others;
            continue;
        }
        found.emplace();
        found->offset = at;
        found->was_searched = true;
    }
    return found;
}

void read_table(const picture& memory, table_report& table, const question& asked, report& out)
{
    const auto header = memory.at<wire::resource_table_header>(table.offset);
    table.version = header.ver;
    table.num = header.num;
    if (table.version != wire::resource_table_version)
        out.faults.add("table_version", "resource table", "its version is {}, not 1", table.version);
    if (header.reserved[0] != 0 || header.reserved[1] != 0)
        out.faults.add("table_reserved", "resource table", "its reserved words are {:#x} and {:#x}, not 0",
                       header.reserved[0].get(), header.reserved[1].get());
    std::uint32_t devices = 0;
    for (std::uint32_t i = 0; i != table.num; ++i) {
        const auto where = fmt::format("resource table, entry {}", i);
        const auto slot = table.offset + sizeof header + 4 * std::size_t{i};
        if (!memory.holds(slot, 4)) {
            out.faults.add("table_offsets", "resource table",
                           "it says {} entries, and the memory ends after {}", table.num, i);
            break;
        }
        table_entry entry{.number = i, .offset = 0, .fields = {}, .name = {}, .vrings = {}};
        const auto offset = word(memory, slot);
        entry.offset = table.offset + offset;
        if (offset % 4 != 0)
            out.faults.add("entry_misaligned", where, "its offset {:#x} is no multiple of 4", offset);
        if (offset < sizeof header + 4 * std::size_t{table.num})
            out.faults.add("entry_overlaps", where, "its offset {:#x} lies in the table's header", offset);
        if (!memory.holds(entry.offset, 4)) {
            out.faults.add("entry_outside", where, "its offset {:#x} is outside the memory", offset);
            continue;
        }
        entry.type = word(memory, entry.offset);
        if (entry.type == wire::resource_vdev)
            read_vdev(memory, entry, where, out.faults);
        else
            read_plain(memory, entry, where, out.faults);
        if (entry.kind == "unknown")
            out.notes.add("entry_unknown", where, "its type {} is unknown; Linux passes over it", entry.type);
        if (entry.is_rpmsg && devices++ == asked.device)
            read_sizes(memory, entry, table, where, out.faults);
        table.entries.push_back(std::move(entry));
    }
    // The library's own check has the last word, so that the two never disagree.
    const virtio::table_limits limits{.ring = {},
                                      .device = asked.device,
                                      .most_buffers = 32768,
                                      .ring_rule = asked.rule,
                                      .has_iommu = true,
                                      .is_running = true};
    const auto verdict = virtio::check_table(from(memory, table.offset), limits);
    const bool is_of_a_ring =
        verdict.broken >= virtio::table_rule::ring_size && verdict.broken <= virtio::table_rule::rings_apart;
    if (!verdict && !is_of_a_ring && out.faults.count() == 0)
        out.faults.add("table_rule", fmt::format("resource table, entry {}", verdict.entry), "{}",
                       verdict.reason());
}

const table_entry* rpmsg_entry(const table_report& table, std::uint32_t device)
{
    for (const auto& entry : table.entries)
        if (entry.is_rpmsg && device-- == 0)
            return &entry;
    return nullptr;
}

}  // namespace tool::inspection
