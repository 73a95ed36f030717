#include "inspect_ring.hpp"

#include "inspect_history.hpp"

#include <rpmsg/vring/index.hpp>

#include <algorithm>

namespace tool::inspection {

namespace wire = rpmsg::wire;
namespace vring = rpmsg::vring;

namespace {

/// Where the ring is, if it can be anywhere.
bool find_ring(const picture& memory, ring_report& ring, const ring_use& use, findings& faults,
               findings& notes)
{
    const auto where = ring_name(ring.which);
    const auto& place = ring.place;
    const auto before = faults.count();
    if (place.num == 0 || (place.num & (place.num - 1)) != 0 || place.num > 32768)
        faults.add("ring_size", where, "it has {} descriptors, and that is no power of two from 1 to 32768",
                   place.num);
    if (!vring::aligns_rings(place.align))
        faults.add("ring_align", where, "its alignment {} is no power of two from 4 to 65536", place.align);
    if (place.address == wire::resource_any) {
        if (use.is_live)
            faults.add("ring_unplaced", where,
                       "the driver said DRIVER_OK and left its address \"any\": a device cannot find it");
        return false;
    }
    if (faults.count() != before)
        return false;
    if (place.address % place.align != 0)
        faults.add("ring_misaligned", where, "its address {:#x} is no multiple of its alignment {}",
                   place.address, place.align);
    ring.layout = vring::layout_of(place.num, place.align, use.rule);
    ring.offset = memory.find(place.address, ring.layout.size);
    if (!ring.offset)
        (use.is_live ? faults : notes)
            .add("ring_outside", where,
                 "[{:#x}, {:#x}) is outside the memory, [{:#x}, {:#x}); does --base say the right address?",
                 place.address, place.address + ring.layout.size, memory.place().address,
                 memory.place().end());
    return ring.offset.has_value();
}

void read_words(const picture& memory, ring_report& ring, const ring_use& use)
{
    const auto at = *ring.offset;
    const auto avail = memory.at<wire::avail>(at + ring.layout.avail);
    const auto used = memory.at<wire::used>(at + ring.layout.used);
    ring.avail_flags = avail.flags;
    ring.avail_idx = avail.idx;
    ring.used_flags = used.flags;
    ring.used_idx = used.idx;
    for (std::size_t i = 0; i != ring.place.num; ++i) {
        ring.descriptors.emplace_back().raw = memory.at<wire::descriptor>(at + i * sizeof(wire::descriptor));
        ring.avail.push_back(
            memory.at<wire::le16>(at + ring.layout.avail + sizeof avail + i * sizeof(wire::le16)));
        ring.used.push_back(memory.at<wire::used_element>(at + ring.layout.used + sizeof used +
                                                          i * sizeof(wire::used_element)));
    }
    if (use.event_idx) {
        ring.used_event = memory.at<wire::le16>(at + ring.layout.used_event);
        if (use.rule == rpmsg::policy::ring_alignment::virtio)
            ring.avail_event = memory.at<wire::le16>(at + ring.layout.avail_event);
    }
    // What lies between the parts belongs to nobody and says nothing.
    const auto parts = memory.bytes.subspan(at, ring.layout.used_event);
    ring.blank_byte = std::to_integer<std::uint8_t>(parts[0]);
    ring.is_blank = std::ranges::all_of(parts, [&](std::byte b) { return b == parts[0]; });
}

/// How many of a ring's entries were ever written; all, once its index went round.
std::uint32_t remembered(bool is_young, std::uint32_t idx, std::uint32_t num)
{
    return is_young ? std::min(idx, num) : num;
}

/// Whether the entries behind an index are still zero: then it has not gone round.
bool is_zero_from(const std::vector<std::uint16_t>& avail, std::size_t idx)
{
    return std::all_of(avail.begin() + static_cast<std::ptrdiff_t>(std::min(idx, avail.size())), avail.end(),
                       [](std::uint16_t id) { return id == 0; });
}
bool is_zero_from(const std::vector<wire::used_element>& used, std::size_t idx)
{
    return std::all_of(used.begin() + static_cast<std::ptrdiff_t>(std::min(idx, used.size())), used.end(),
                       [](const wire::used_element& e) { return e.id == 0 && e.len == 0; });
}

struct gathered {
    ring_history history;
    bool is_young = true;    ///< The indices have not gone round.
    bool is_broken = false;  ///< An entry that counts names no descriptor.
};

gathered gather(ring_report& ring, findings& faults)
{
    const auto num = ring.place.num;
    const auto where = ring_name(ring.which);
    const std::uint32_t first = ring.is_prefilled ? num : 0;  // the lendings that were never written down
    const bool is_young = ring.used_idx <= ring.avail_idx + first &&
                          is_zero_from(ring.avail, ring.avail_idx) && is_zero_from(ring.used, ring.used_idx);

    gathered all;
    all.is_young = is_young;
    auto& h = all.history;
    h.size = static_cast<std::int32_t>(num);
    h.outstanding = static_cast<std::int32_t>(ring.with_device);
    h.avail.resize(num);
    h.used.resize(num);
    const auto written = remembered(is_young, ring.avail_idx, num);
    const auto given = remembered(is_young, ring.used_idx, num);
    ring.avail_written = written;
    ring.used_written = given;
    h.avail_remembered = static_cast<std::int32_t>(std::min(num, written + (is_young ? first : 0)));
    h.used_remembered = static_cast<std::int32_t>(given);
    h.avail_has_more = !is_young || ring.avail_idx + first > num;
    h.used_has_more = !is_young || ring.used_idx > num;

    // What is certain to be written: entries that the index says, and all that the device still has.
    const auto sure = std::max<std::uint32_t>(ring.is_prefilled ? 0 : ring.with_device,
                                              std::min<std::uint32_t>(ring.avail_idx, num));
    for (auto back = static_cast<std::uint32_t>(h.avail_remembered); back != 0; --back) {
        const auto position = h.outstanding - static_cast<std::int32_t>(back);
        if (back > written) {  // one of those that the driver lent by filling the used ring
            h.avail[ring.avail_idx + first - back].push_back(position);
            continue;
        }
        const auto slot = vring::index{static_cast<std::uint16_t>(ring.avail_idx - back)}.slot(
            static_cast<std::uint16_t>(num));
        if (const auto id = ring.avail[slot]; id < num) {
            h.avail[id].push_back(position);
        } else if (back <= sure) {
            faults.add("avail_id", where, "avail entry {} (slot {}) names descriptor {}, and there are {}",
                       static_cast<std::uint16_t>(ring.avail_idx - back), slot, id, num);
            all.is_broken = true;
        }
    }
    for (auto back = given; back != 0; --back) {
        const auto slot = vring::index{static_cast<std::uint16_t>(ring.used_idx - back)}.slot(
            static_cast<std::uint16_t>(num));
        if (const auto id = ring.used[slot].id.get(); id < num) {
            h.used[id].push_back(-static_cast<std::int32_t>(back));
        } else if (back <= std::min<std::uint32_t>(ring.used_idx, num)) {
            faults.add("used_id", where, "used entry {} (slot {}) names descriptor {}, and there are {}",
                       static_cast<std::uint16_t>(ring.used_idx - back), slot, id, num);
            all.is_broken = true;
        }
    }
    return all;
}

std::uint32_t slot_at(std::uint16_t idx, std::int32_t ago, std::uint32_t num)
{
    return vring::index{static_cast<std::uint16_t>(idx - ago)}.slot(static_cast<std::uint16_t>(num));
}

void give_out(ring_report& ring, const gathered& all, findings& faults)
{
    const auto& h = all.history;
    const auto num = ring.place.num;
    const auto where = ring_name(ring.which);
    const auto holders = find_holders(h);
    std::vector<std::pair<std::int32_t, std::uint16_t>> lent;
    std::vector<std::pair<std::int32_t, std::uint16_t>> back;
    std::int32_t with_device = 0;
    bool is_contradictory = all.is_broken;
    for (std::uint32_t i = 0; i != num; ++i) {
        auto& d = ring.descriptors[i];
        const auto id = static_cast<std::uint16_t>(i);
        const auto& holder = holders[i];
        if (!h.avail[i].empty()) {
            const auto ago = h.outstanding - h.avail[i].back();
            const bool was_written = !all.is_young || ago <= static_cast<std::int32_t>(ring.avail_idx);
            if (was_written)
                d.avail_slot = slot_at(ring.avail_idx, ago, num);
        }
        if (!h.used[i].empty()) {
            const auto ago = -h.used[i].back();
            d.used_slot = slot_at(ring.used_idx, ago, num);
            d.used_len = ring.used[*d.used_slot].len;
            d.is_prefilled = ring.is_prefilled && all.is_young && ring.used_idx - ago < h.size;
        }
        d.is_certain = holder.is_certain && !all.is_broken;
        ring.is_certain = ring.is_certain && d.is_certain;
        if (holder.broken != contradiction::none) {
            d.with = owner::unknown;
            is_contradictory = true;
            if (all.is_broken)
                continue;
            if (holder.broken == contradiction::lent_twice)
                faults.add("duplicate_head", where,
                           "descriptor {} is in the avail ring again while the device has it (slot {})", i,
                           slot_at(ring.avail_idx, h.outstanding - h.avail[i].back(), num));
            else
                faults.add("used_not_lent", where,
                           "descriptor {} is in the used ring (slot {}), and the device did not have it", i,
                           h.used[i].empty() ? 0 : slot_at(ring.used_idx, -h.used[i].back(), num));
        } else if (holder.is_device) {
            ++with_device;
            d.with = holder.is_taken ? owner::taken : owner::available;
            lent.emplace_back(h.avail[i].empty() ? -h.size - 1 : h.avail[i].back(), id);
        } else if (!h.used[i].empty()) {
            d.with = owner::used;
            back.emplace_back(h.used[i].back(), id);
        } else {
            d.with = owner::driver;
        }
    }
    if (!is_contradictory && with_device != h.outstanding)
        faults.add("ring_count", where, "by the indices the device has {} descriptors, by the entries {}",
                   h.outstanding, with_device);
    std::ranges::sort(lent);
    std::ranges::sort(back);
    for (const auto& [position, id] : lent)
        ring.lent.push_back(id);
    for (const auto& [position, id] : back)
        ring.back.push_back(id);
}

void check_flags(const ring_report& ring, findings& faults)
{
    const auto where = ring_name(ring.which);
    if ((ring.avail_flags & ~wire::avail_no_interrupt) != 0)
        faults.add("avail_flags", where, "avail.flags is {:#x}; only bit 0 means something",
                   ring.avail_flags);
    if ((ring.used_flags & ~wire::used_no_notify) != 0)
        faults.add("used_flags", where, "used.flags is {:#x}; only bit 0 means something", ring.used_flags);
}

}  // namespace

ring_report read_ring(const picture& memory, std::uint32_t which, const rpmsg::virtio::ring_place& place,
                      const ring_use& use, report& out)
{
    ring_report ring;
    ring.which = which;
    ring.place = place;
    const auto where = ring_name(which);
    if (!find_ring(memory, ring, use, out.faults, out.notes))
        return ring;
    read_words(memory, ring, use);
    if (ring.is_blank) {
        out.notes.add("ring_blank", where, "every byte is {:#04x}: no driver has laid it out",
                      ring.blank_byte);
        return ring;
    }
    findings of_a_start_that_is_gone;  // nobody promises anything of rings without DRIVER_OK
    auto& faults = use.is_live ? out.faults : of_a_start_that_is_gone;
    check_flags(ring, faults);
    ring.is_prefilled = which == 1 && use.prefilled;
    if (ring.is_prefilled && ring.used_idx < place.num && ring.used_idx <= ring.avail_idx &&
        is_zero_from(ring.used, ring.used_idx)) {
        ring.is_prefilled = false;
        out.notes.add("not_prefilled", where, "its used ring was not filled by the driver before the start");
    }
    const vring::index avail{ring.avail_idx};
    const vring::index used{ring.used_idx};
    ring.with_device =
        static_cast<std::uint16_t>(vring::distance(used, avail) + (ring.is_prefilled ? place.num : 0));
    ring.is_plausible = ring.with_device <= place.num;
    if (!ring.is_plausible) {
        const auto ahead = vring::distance(avail, used);
        faults.add("index_jump", where, "avail.idx is {} and used.idx {}: {}, in a ring of {}{}",
                   ring.avail_idx, ring.used_idx,
                   ahead <= place.num
                       ? fmt::format("{} were given back that were not lent", ahead)
                       : fmt::format("{} would be with the device", vring::distance(used, avail)),
                   place.num,
                   which == 1 && !use.prefilled && ahead <= place.num
                       ? "; rpmsg-lite's driver fills it before it starts: --dialect rpmsg-lite"
                       : "");
        for (auto& d : ring.descriptors)
            d.with = owner::unknown;
        ring.is_certain = false;
        return ring;
    }
    give_out(ring, gather(ring, faults), faults);
    return ring;
}

}  // namespace tool::inspection
