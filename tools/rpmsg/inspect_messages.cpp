#include "inspect_messages.hpp"

#include "inspect_ring.hpp"

#include <rpmsg/platform/fmt.hpp>

#include <algorithm>

namespace tool::inspection {

namespace wire = rpmsg::wire;

namespace {

std::string buffer_name(const ring_report& ring, std::uint16_t id)
{
    return fmt::format("vring {}, descriptor {}", ring.which, id);
}

std::optional<std::size_t> check_buffer(const picture& memory, const ring_report& ring, std::uint16_t id,
                                        bool is_lite, findings& faults, findings& notes)
{
    const auto& raw = ring.descriptors[id].raw;
    const auto where = buffer_name(ring, id);
    const std::uint16_t flags = raw.flags;
    if ((flags & wire::descriptor_next) != 0)
        faults.add("descriptor_flags", where, "it has NEXT: a message is one descriptor");
    if ((flags & wire::descriptor_indirect) != 0)
        faults.add("descriptor_flags", where, "it has INDIRECT: a buffer is no table");
    if (const auto odd = flags & ~7U; odd != 0)
        faults.add("descriptor_flags", where, "its flags {:#x} mean nothing", odd);
    const bool is_written = (flags & wire::descriptor_write) != 0;
    if (ring.which == 0 && !is_written)
        faults.add("descriptor_flags", where, "it lacks WRITE, and the device is to write into it");
    if (ring.which == 1 && is_written && !is_lite)
        faults.add("descriptor_flags", where,
                   "it has WRITE, and the device is only to read it (rpmsg-lite's "
                   "driver does so: --dialect rpmsg-lite)");
    if (ring.which == 1 && is_written && is_lite && id == 0)
        notes.add("lite_write", ring_name(ring.which), "descriptors have WRITE, as rpmsg-lite's driver does");
    if (raw.len < sizeof(wire::header))
        faults.add("descriptor_length", where, "its {} bytes have no room for a header of 16", raw.len.get());
    const auto offset = memory.find(raw.addr, raw.len);
    if (!offset)
        faults.add("descriptor_outside", where, "[{:#x}, {} bytes) is outside the memory, [{:#x}, {:#x})",
                   raw.addr.get(), raw.len.get(), memory.place().address, memory.place().end());
    return offset;
}

void check_announcement(message_report& message, const std::string& where, findings& faults)
{
    if (message.payload.size() != sizeof(wire::announcement)) {
        faults.add("announcement_length", where, "an announcement of {} bytes, not 40",
                   message.payload.size());
        return;
    }
    auto& heard = message.announcement.emplace();
    std::memcpy(&heard, message.payload.data(), sizeof heard);
    if (std::ranges::find(heard.name, '\0') == heard.name.end())
        faults.add("announcement_name", where, "the name that is announced is not terminated: 32 characters");
    else if (heard.name[0] == '\0')
        faults.add("announcement_name", where, "the name that is announced is empty");
    if (heard.addr == wire::any_address)
        faults.add("announcement_address", where, "the address that is announced is nobody's, {:#x}",
                   heard.addr.get());
    if ((heard.flags & ~wire::announcement_went) != 0)
        faults.add("announcement_flags", where,
                   "the announcement's flags are {:#x}; only bit 0 means something", heard.flags.get());
}

void check_header(const message_report& message, const std::string& where, findings& faults)
{
    const auto& header = message.header;
    if (header.len + sizeof header > message.capacity)
        faults.add("header_length", where, "header.len is {}, and {} bytes have room for {}",
                   header.len.get(), message.capacity, message.capacity - sizeof header);
    if (header.flags != 0)
        faults.add("header_flags", where, "header.flags is {:#x}, not 0", header.flags.get());
    if (header.dst == wire::any_address)
        faults.add("header_address", where, "it is for nobody, {:#x}", header.dst.get());
}

void read_message(const picture& memory, const ring_report& ring, std::uint16_t id, std::size_t offset,
                  findings& faults, report& out)
{
    const auto& d = ring.descriptors[id];
    const auto where = buffer_name(ring, id);
    message_report message;
    message.ring = ring.which;
    message.id = id;
    message.with = d.with;
    message.is_certain = d.is_certain;
    message.offset = offset;
    message.capacity = d.raw.len;
    if (ring.which == 0) {
        if (d.used_len > d.raw.len)
            faults.add("used_length", where, "its used entry says {} bytes, and the buffer has {}",
                       d.used_len, d.raw.len.get());
        if (d.used_len < sizeof(wire::header))
            faults.add("used_length", where, "its used entry says {} bytes, and a header has 16", d.used_len);
        message.capacity = std::min(message.capacity, d.used_len);
    }
    if (message.capacity < sizeof(wire::header) || !memory.holds(offset, message.capacity))
        return;
    message.header = memory.at<wire::header>(offset);
    message.payload = memory.bytes.subspan(
        offset + sizeof(wire::header),
        std::min<std::size_t>(message.header.len, message.capacity - sizeof(wire::header)));
    check_header(message, where, faults);
    if (message.header.dst == wire::name_service_address)
        check_announcement(message, where, faults);
    out.messages.push_back(message);
}

}  // namespace

void read_messages(const picture& memory, const ring_report& ring, bool is_lite, report& out)
{
    findings of_a_start_that_is_gone;
    auto& faults = out.is_live ? out.faults : of_a_start_that_is_gone;
    for (const auto id : ring.lent) {
        const auto offset = check_buffer(memory, ring, id, is_lite, faults, out.notes);
        if (offset && ring.which == 1)
            read_message(memory, ring, id, *offset, faults, out);
    }
    if (ring.which == 0)
        for (const auto id : ring.back)
            if (const auto offset = check_buffer(memory, ring, id, is_lite, faults, out.notes))
                read_message(memory, ring, id, *offset, faults, out);
    const auto marked = std::ranges::count_if(out.messages, [&](const message_report& m) {
        return m.ring == ring.which && m.header.reserved != 0;
    });
    if (marked != 0)
        out.notes.add(
            "header_reserved", ring_name(ring.which),
            "header.reserved is not 0 in {} {}: OpenAMP and rpmsg-lite keep notes of their own there", marked,
            marked == 1 ? "message" : "messages");
}

void check_overlaps(const picture& memory, report& out)
{
    struct piece {
        rpmsg::virtio::placed place;
        std::string name;
    };
    std::vector<piece> pieces;
    if (out.table) {
        const auto* const entry = out.table->entries.empty() ? nullptr : &out.table->entries.back();
        const auto last = entry != nullptr ? entry->offset + 4 : out.table->offset + 16;
        if (last > out.table->offset)
            pieces.push_back(
                {{memory.base + out.table->offset, last - out.table->offset}, "the resource table"});
    }
    for (const auto& ring : out.rings) {
        if (!ring.offset || ring.is_blank)
            continue;
        pieces.push_back({{ring.place.address, ring.layout.size}, ring_name(ring.which)});
        for (const auto id : ring.lent) {
            const auto& raw = ring.descriptors[id].raw;
            if (raw.len != 0 && memory.find(raw.addr, raw.len))
                pieces.push_back({{raw.addr, raw.len}, buffer_name(ring, id)});
        }
    }
    std::ranges::stable_sort(pieces, {}, [](const piece& p) { return p.place.address; });
    const piece* widest = nullptr;
    for (const auto& p : pieces) {
        if (widest != nullptr && widest->place.overlaps(p.place))
            out.faults.add("overlap", p.name, "at {:#x} it overlaps {}, [{:#x}, {:#x})", p.place.address,
                           widest->name, widest->place.address, widest->place.end());
        if (widest == nullptr || p.place.end() > widest->place.end())
            widest = &p;
    }
}

}  // namespace tool::inspection
