#include "inspect_messages.hpp"
#include "inspect_report.hpp"
#include "inspect_ring.hpp"
#include "inspect_table.hpp"

#include <rpmsg/virtio/status.hpp>

namespace tool::inspection {

namespace wire = rpmsg::wire;
namespace status = rpmsg::virtio::status;
using rpmsg::policy::feature::event_idx;

namespace {

using places = std::array<rpmsg::virtio::ring_place, 2>;

void judge_status(report& out)
{
    constexpr unsigned known = status::acknowledge | status::driver | status::driver_ok |
                               status::features_ok | status::needs_reset | status::failed;
    const unsigned bits = *out.status;
    out.is_live = (bits & status::driver_ok) != 0;
    if ((bits & ~known) != 0)
        out.faults.add("status", "status", "bits {:#x} mean nothing", bits & ~known);
    if ((bits & status::needs_reset) != 0)
        out.notes.add("needs_reset", "status", "NEEDS_RESET: the device asks for a new start");
    if ((bits & status::failed) != 0)
        out.notes.add("failed", "status", "FAILED: the driver gave up");
    if (!out.is_live)
        out.notes.add(
            "not_live", "status",
            "no DRIVER_OK: what the rings hold is not finished, or of an earlier start, and is not judged");
}

/// From a resource table. @return Whether there is one.
bool find_by_table(const picture& memory, const question& asked, report& out, places& rings)
{
    if (asked.at <= memory.bytes.size() && looks_like_table(memory, static_cast<std::size_t>(asked.at)))
        out.table.emplace().offset = static_cast<std::size_t>(asked.at);
    else
        out.table = search_table(memory);
    if (!out.table) {
        out.problem =
            fmt::format("there is no resource table with an RPMsg device at {:#x}, nor anywhere else; where "
                        "the rings are can be said with --ring-to-driver",
                        asked.at);
        return false;
    }
    read_table(memory, *out.table, asked, out);
    const auto* const entry = rpmsg_entry(*out.table, asked.device);
    if (entry == nullptr) {
        out.problem = fmt::format("the resource table at {:#x} has no RPMsg device {}", out.table->offset,
                                  asked.device);
        return false;
    }
    wire::resource_rpmsg head{};
    std::memcpy(&head, memory.bytes.data() + entry->offset, offsetof(wire::resource_rpmsg, vring));
    out.offered = head.dfeatures.get();
    out.accepted = head.gfeatures.get();
    out.status = head.status.get();
    if (const auto more = *out.accepted & ~*out.offered; more != 0)
        out.faults.add("features", fmt::format("resource table, entry {}", entry->number),
                       "the driver accepted features {:#x} that the device does not offer", more);
    for (std::size_t i = 0; i != rings.size() && i < entry->vrings.size(); ++i) {
        const auto& v = entry->vrings[i];
        rings[i] = {v.da, v.num, v.align, v.notifyid};
    }
    return true;
}

bool find_by_options(const picture& memory, const question& asked, report& out, places& rings)
{
    for (std::size_t i = 0; i != rings.size(); ++i)
        rings[i] = {*asked.ring[i], asked.num, asked.align, static_cast<std::uint32_t>(i)};
    if (!asked.status)
        return true;
    const auto at = memory.find(*asked.status, 1);
    if (!at) {
        out.problem = fmt::format("the status byte at {:#x} is outside the memory, [{:#x}, {:#x})",
                                  *asked.status, memory.place().address, memory.place().end());
        return false;
    }
    out.status = std::to_integer<std::uint8_t>(memory.bytes[*at]);
    return true;
}

}  // namespace

report analyse(const picture& memory, const question& asked)
{
    report out;
    out.base = memory.base;
    out.size = memory.bytes.size();
    places rings{};
    if (!(asked.names_rings() ? find_by_options(memory, asked, out, rings)
                              : find_by_table(memory, asked, out, rings)))
        return out;
    if (out.status)
        judge_status(out);
    const auto* const entry = out.table ? rpmsg_entry(*out.table, asked.device) : nullptr;
    const std::size_t count = entry != nullptr ? std::min<std::size_t>(entry->vrings.size(), 2) : 2;
    for (std::uint32_t i = 0; i != count; ++i) {
        const ring_use use{.rule = asked.rule,
                           .prefilled = asked.prefilled,
                           .event_idx = (out.accepted.value_or(0) & event_idx) != 0,
                           .is_live = out.is_live};
        out.rings.push_back(read_ring(memory, i, rings[i], use, out));
        read_messages(memory, out.rings.back(), asked.prefilled, out);
    }
    if (out.is_live)
        check_overlaps(memory, out);
    return out;
}

}  // namespace tool::inspection
