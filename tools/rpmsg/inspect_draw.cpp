#include "inspect_show.hpp"

#include <rpmsg/platform/fmt.hpp>

#include <algorithm>
#include <iterator>

namespace tool::inspection {

namespace {

constexpr std::size_t columns = 100;
constexpr std::size_t slots_drawn = 64;     // more: only who has what
constexpr std::size_t messages_drawn = 32;  // more: a count
constexpr std::size_t findings_drawn = 40;
constexpr std::size_t bytes_drawn = 64;  // of one payload

class page {
public:
    explicit page(const look& how) : how_{how} {}

    template <typename... Arguments>
    void line(fmt::format_string<Arguments...> text, Arguments&&... arguments)
    {
        fmt::format_to(std::back_inserter(text_), text, std::forward<Arguments>(arguments)...);
        text_ += '\n';
    }
    /// A sentence, broken where it passes the last column; what follows is indented.
    void sentence(std::string_view indent, std::string text)
    {
        std::string margin{indent};
        while (margin.size() + text.size() > columns) {
            auto at = text.rfind(' ', columns - margin.size());
            if (at == std::string::npos || at == 0)
                at = columns - margin.size() - 1;
            line("{}{}", margin, text.substr(0, at));
            text.erase(0, text[at] == ' ' ? at + 1 : at);
            margin = std::string{indent} + "    ";
        }
        line("{}{}", margin, text);
    }
    void heading(std::string_view text) { line("{}", painted("1", text)); }
    [[nodiscard]] std::string painted(std::string_view code, std::string_view text) const
    {
        return how_.is_coloured ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string{text};
    }
    [[nodiscard]] const look& how() const { return how_; }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    const look& how_;
    std::string text_;
};

char letter(owner with)
{
    switch (with) {
    case owner::driver: return '.';
    case owner::available: return 'A';
    case owner::taken: return 'T';
    case owner::used: return 'U';
    case owner::unknown: return '?';
    }
    return '?';
}

std::string_view meaning(owner with, std::uint32_t ring)
{
    switch (with) {
    case owner::driver: return "free: the driver's, never lent as far as the ring remembers";
    case owner::available:
        return ring == 0 ? "available to the device: empty, or taken by it to be filled"
                         : "available to the device: a message not yet consumed, or taken by it";
    case owner::taken:
        return ring == 0 ? "taken by the device to be filled: it has given back later ones"
                         : "taken by the device and kept: it has given back later ones";
    case owner::used:
        return ring == 0 ? "used: a message not yet reaped by the driver, or kept by it"
                         : "used: given back, perhaps not yet reaped by the driver; free when it is";
    case owner::unknown: return "nobody's for certain: the rings contradict themselves";
    }
    return {};
}

void draw_entry(page& out, const table_entry& entry)
{
    std::string words = fmt::format("{}  {} at {:#x}", entry.number, entry.kind, entry.offset);
    if (entry.name)
        words += fmt::format(" \"{}\"", rpmsg::platform::escaped(*entry.name));
    if (entry.kind == "vendor" || entry.kind == "unknown")
        words += fmt::format(", type {}", entry.type);
    std::string features;
    for (const auto& [name, value] : entry.fields) {
        const auto low = static_cast<std::uint32_t>(value);
        if (name == "dfeatures" || name == "gfeatures")
            features += fmt::format("{}{} {:#x} {}", features.empty() ? "" : ", ",
                                    name == "dfeatures" ? "offered" : "accepted", low, feature_names(low));
        else if (name == "status")
            features += fmt::format(", status {:#04x} {}", low, status_names(static_cast<std::uint8_t>(low)));
        else if (name == "da" || name == "pa" || name == "flags" || name == "len")
            words += fmt::format(", {} {:#x}", name, low);
        else
            words += fmt::format(", {} {}{}", name, static_cast<std::int32_t>(low),
                                 name == "id" && entry.is_rpmsg ? " (RPMsg)" : "");
    }
    out.sentence("  ", words);
    if (!features.empty())
        out.sentence("     ", features);
    for (std::size_t i = 0; i != entry.vrings.size() && i < 8; ++i) {
        const auto& v = entry.vrings[i];
        out.line("     vring {}: da {}, align {}, num {}, notifyid {}, pa {:#x}", i,
                 v.da == rpmsg::wire::resource_any ? "any" : fmt::format("{:#x}", v.da.get()), v.align.get(),
                 v.num.get(), static_cast<std::int32_t>(v.notifyid.get()), v.pa.get());
    }
}

void draw_table(page& out, const table_report& table)
{
    out.heading(fmt::format("resource table at {:#x} of the file, version {}, {} {}{}", table.offset,
                            table.version, table.num, table.num == 1 ? "entry" : "entries",
                            table.was_searched ? " (found by searching)" : ""));
    if (table.others != 0)
        out.line("  {} more {} in the file: --at says which", table.others, table.others == 1 ? "is" : "are");
    for (const auto& entry : table.entries)
        draw_entry(out, entry);
    if (table.sizes)
        out.line("     config: buffers to the driver of {} bytes, to the device of {}",
                 table.sizes->to_driver, table.sizes->to_device);
}

/// The slots of one of a ring's two parts ("!": no descriptor's), and below each entry that still counts who has its descriptor.
template <typename Id>
void draw_slots(page& out, std::string_view name, const ring_report& ring, std::uint16_t idx, bool is_avail,
                Id id_at)
{
    const std::size_t num = ring.place.num;
    const std::size_t width = num > 1000 ? 7 : 5;
    const std::size_t in_a_row = std::min<std::size_t>(num, num > 1000 ? 12 : 16);
    const std::size_t next = idx & (num - 1);
    const std::size_t written = is_avail ? ring.avail_written : ring.used_written;
    for (std::size_t row = 0; row < num; row += in_a_row) {
        std::string above = fmt::format("  {:<9}", row == 0 ? fmt::format("{} {}", name, idx) : "");
        std::string below(11, ' ');
        for (auto slot = row; slot != std::min(num, row + in_a_row); ++slot) {
            const std::uint32_t id = id_at(slot);
            const auto entry = slot >= written ? "-" : id >= num ? "!" : fmt::format("{}", id);
            above += fmt::format("{:>{}}", (slot == next ? ">" : "") + entry, width);
            char who = ' ';
            if (id < num) {
                const auto& d = ring.descriptors[id];
                const auto newest = is_avail ? d.avail_slot : d.used_slot;
                const bool counts =
                    is_avail ? d.with == owner::available || d.with == owner::taken : d.with == owner::used;
                who = newest == slot && counts ? letter(d.with) : ' ';
            }
            below += fmt::format("{:>{}}", who, width);
        }
        out.line("{}", above);
        if (const auto last = below.find_last_not_of(' '); last != std::string::npos)
            out.line("{}", below.substr(0, last + 1));
    }
}

void draw_owners(page& out, const ring_report& ring)
{
    constexpr std::size_t in_a_row = 64;
    for (std::size_t row = 0; row < ring.descriptors.size(); row += in_a_row) {
        std::string letters;
        for (auto i = row; i != std::min(ring.descriptors.size(), row + in_a_row); ++i)
            letters += letter(ring.descriptors[i].with);
        out.line("  {:<9}{:>5} {}", row == 0 ? "owners" : "", row, letters);
    }
    for (const auto with : {owner::available, owner::taken, owner::used, owner::driver, owner::unknown}) {
        const auto count = std::ranges::count(ring.descriptors, with, &descriptor_report::with);
        if (count != 0)
            out.line("  {} {:>5}  {}", letter(with), count, meaning(with, ring.which));
    }
    if (const auto count = std::ranges::count_if(
            ring.descriptors, [](const auto& d) { return d.is_prefilled && d.with == owner::used; });
        count != 0)
        out.sentence(
            "  ", fmt::format("{} of U were put there by the driver itself before the start, as rpmsg-lite's "
                              "does: buffers that were never sent.",
                              count));
    if (!ring.is_certain && ring.is_plausible)
        out.sentence("  ", "Not certain: the rings allow another answer, if the device has kept a buffer for "
                           "longer than a lap of the ring.");
}

void draw_ring(page& out, const ring_report& ring)
{
    out.line("");
    out.heading(fmt::format("vring {}, {}: {} descriptors at {:#x}, align {}", ring.which,
                            ring.which == 0 ? "device to driver" : "driver to device", ring.place.num,
                            ring.place.address, ring.place.align));
    if (!ring.offset) {
        out.line("  cannot be read");
        return;
    }
    out.line("  in the file: descriptors {:#x}, avail {:#x}, used {:#x}, end {:#x}", *ring.offset,
             *ring.offset + ring.layout.avail, *ring.offset + ring.layout.used,
             *ring.offset + ring.layout.size);
    if (ring.is_blank) {
        out.line("  every byte is {:#04x}: nobody has laid it out", ring.blank_byte);
        return;
    }
    const auto words = [&](std::string_view part, std::uint16_t idx, unsigned flags, std::string_view wish,
                           std::string_view event, const std::optional<std::uint16_t>& at) {
        out.line("  {:<5} idx {}, flags {:#x}{}{}", part, idx, flags, (flags & 1U) != 0 ? wish : "",
                 at ? fmt::format(", {} {}", event, *at) : "");
    };
    words("avail", ring.avail_idx, ring.avail_flags, " NO_INTERRUPT", "used_event", ring.used_event);
    words("used", ring.used_idx, ring.used_flags, " NO_NOTIFY", "avail_event", ring.avail_event);
    if (ring.place.num <= slots_drawn || out.how().shows_all) {
        draw_slots(out, "avail", ring, ring.avail_idx, true, [&](std::size_t i) { return ring.avail[i]; });
        draw_slots(out, "used", ring, ring.used_idx, false,
                   [&](std::size_t i) { return ring.used[i].id.get(); });
    }
    draw_owners(out, ring);
}

void draw_bytes(page& out, std::span<const std::byte> bytes)
{
    const auto shown = out.how().shows_all ? bytes : bytes.first(std::min(bytes.size(), bytes_drawn));
    for (std::size_t at = 0; at < shown.size(); at += 16) {
        std::string pairs;
        std::string text;
        for (const auto b : shown.subspan(at, std::min<std::size_t>(16, shown.size() - at))) {
            const auto c = std::to_integer<unsigned char>(b);
            pairs += fmt::format("{:02x} ", c);
            text += c >= ' ' && c <= '~' ? static_cast<char>(c) : '.';
        }
        out.line("      {:04x}  {:<48} |{}|", at, pairs, text);
    }
    if (shown.size() != bytes.size())
        out.line("      and {} bytes more (--all shows them)", bytes.size() - shown.size());
}

void draw_messages(page& out, const report& found, std::uint32_t ring)
{
    const auto count =
        static_cast<std::size_t>(std::ranges::count(found.messages, ring, &message_report::ring));
    if (count == 0)
        return;
    out.line("  {} {} to the {}, oldest first{}", count, count == 1 ? "message" : "messages",
             ring == 0 ? "driver" : "device",
             ring == 0 ? "; the driver may have read some, and kept them"
                       : "; the device may have taken some");
    std::size_t told = 0;
    for (const auto& m : found.messages) {
        if (m.ring != ring)
            continue;
        if (told++ == messages_drawn && !out.how().shows_all) {
            out.line("    and {} more (--all shows them)", count - messages_drawn);
            return;
        }
        out.line("    descriptor {} at {:#x}: {} -> {}, {} bytes{}", m.id, m.offset,
                 rpmsg::address{m.header.src.get()}, rpmsg::address{m.header.dst.get()}, m.header.len.get(),
                 m.with == owner::taken ? ", taken by the device" : "");
        if (m.announcement)
            out.sentence("      ", fmt::format("announcement: {}", rpmsg::announcement{*m.announcement}));
        else
            draw_bytes(out, m.payload);
    }
}

void draw_findings(page& out, const findings& all)
{
    const auto shown = out.how().shows_all ? all.kept().size() : std::min(all.kept().size(), findings_drawn);
    for (std::size_t i = 0; i != shown; ++i)
        out.sentence("  ", fmt::format("{}: {}", all.kept()[i].where, all.kept()[i].what));
    if (all.count() != shown)
        out.line("  and {} more", all.count() - shown);
}

}  // namespace

std::string draw(const report& found, const look& how)
{
    page out{how};
    out.sentence("", fmt::format("{}: {} bytes, the first at address {:#x}",
                                 rpmsg::platform::escaped(how.title), found.size, found.base));
    if (how.is_live)
        out.sentence(
            "", how.is_torn
                    ? "Live memory that changed while it was copied: the picture is torn, and what it says "
                      "need not have been true at any one time."
                    : "Live memory: two copies agreed in their rings; buffers may have changed in between.");
    if (found.table)
        draw_table(out, *found.table);
    else if (found.status)
        out.line("status {:#04x} {}", *found.status, status_names(*found.status));
    for (const auto& ring : found.rings) {
        draw_ring(out, ring);
        draw_messages(out, found, ring.which);
    }
    out.line("");
    out.sentence("",
                 "How far each side has read is in its own memory: whether an A was taken, and a U reaped, "
                 "cannot be seen in shared memory.");
    if (found.notes.count() != 0) {
        out.heading("Remarks");
        draw_findings(out, found.notes);
    }
    if (found.faults.count() == 0)
        out.line("{}", out.painted("32", "Nothing breaks the spec."));
    else {
        out.line("{}",
                 out.painted("31", fmt::format("{} {} the spec:", found.faults.count(),
                                               found.faults.count() == 1 ? "thing breaks" : "things break")));
        draw_findings(out, found.faults);
    }
    return out.take();
}

}  // namespace tool::inspection
