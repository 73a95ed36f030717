#include "inspect_show.hpp"

#include <rpmsg/platform/fmt.hpp>

#include <iterator>

namespace tool::inspection {

namespace {

std::string quoted(std::string_view text)
{
    std::string out{"\""};
    for (const char c : text) {
        if (c >= ' ' && c <= '~' && c != '"' && c != '\\')
            out += c;
        else
            out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));  // bytes: Latin-1, if anything
    }
    return out + '"';
}

std::string hex(std::span<const std::byte> bytes)
{
    std::string out;
    out.reserve(2 * bytes.size());
    for (const auto b : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        out += digits[std::to_integer<unsigned>(b) >> 4U];
        out += digits[std::to_integer<unsigned>(b) & 15U];
    }
    return out;
}

template <typename T>
std::string or_null(const std::optional<T>& value)
{
    return value ? fmt::format("{}", +*value) : "null";
}

template <typename Range, typename Write>
std::string array(const Range& items, Write write)
{
    std::string out{"["};
    for (const auto& item : items) {
        out += out.size() == 1 ? "" : ",";
        out += write(item);
    }
    return out + "]";
}

std::string number(std::uint64_t value) { return fmt::format("{}", value); }

std::string vring(const rpmsg::wire::resource_vring& v)
{
    return fmt::format(R"({{"da":{},"align":{},"num":{},"notifyid":{},"pa":{}}})", v.da.get(), v.align.get(),
                       v.num.get(), v.notifyid.get(), v.pa.get());
}

std::string entry(const table_entry& e)
{
    std::string out = fmt::format(R"({{"number":{},"offset":{},"type":{},"kind":{})", e.number, e.offset,
                                  e.type, quoted(e.kind));
    for (const auto& [name, value] : e.fields)
        out += fmt::format(",{}:{}", quoted(name), value);
    if (e.name)
        out += fmt::format(R"(,"name":{})", quoted(*e.name));
    if (e.kind == "vdev")
        out += fmt::format(R"(,"vrings":{})", array(e.vrings, vring));
    return out + "}";
}

std::string table(const table_report& t)
{
    std::string sizes = "null";
    if (t.sizes)
        sizes = fmt::format(R"({{"to_driver":{},"to_device":{}}})", t.sizes->to_driver, t.sizes->to_device);
    return fmt::format(
        R"({{"offset":{},"searched":{},"others":{},"version":{},"buffer_sizes":{},"entries":{}}})", t.offset,
        t.was_searched, t.others, t.version, sizes, array(t.entries, entry));
}

std::string descriptor(const descriptor_report& d)
{
    return fmt::format(R"({{"address":{},"len":{},"flags":{},"owner":{},"certain":{},"prefilled":{},)"
                       R"("avail_slot":{},"used_slot":{},"used_len":{}}})",
                       d.raw.addr.get(), d.raw.len.get(), d.raw.flags.get(), quoted(word_of(d.with)),
                       d.is_certain, d.is_prefilled, or_null(d.avail_slot), or_null(d.used_slot), d.used_len);
}

std::string ring(const ring_report& r)
{
    std::string out =
        fmt::format(R"({{"ring":{},"direction":{},"address":{},"num":{},"align":{},"offset":{},)"
                    R"("size":{},"blank":{})",
                    r.which, quoted(r.which == 0 ? "to driver" : "to device"), r.place.address, r.place.num,
                    r.place.align, or_null(r.offset), r.layout.size, r.is_blank);
    if (!r.offset || r.is_blank)
        return out + "}";
    return out +
           fmt::format(
               R"(,"avail":{{"offset":{},"flags":{},"idx":{},"used_event":{},"entries":{}}},)"
               R"("used":{{"offset":{},"flags":{},"idx":{},"avail_event":{},"entries":{}}},"with_device":{},"prefilled":{},)"
               R"("certain":{},"lent":{},"back":{},"descriptors":{}}})",
               *r.offset + r.layout.avail, r.avail_flags, r.avail_idx, or_null(r.used_event),
               array(r.avail, number), *r.offset + r.layout.used, r.used_flags, r.used_idx,
               or_null(r.avail_event),
               array(r.used, [](const auto& e) { return fmt::format("[{},{}]", e.id.get(), e.len.get()); }),
               r.is_plausible ? number(r.with_device) : "null", r.is_prefilled, r.is_certain,
               array(r.lent, number), array(r.back, number), array(r.descriptors, descriptor));
}

std::string announced(const std::optional<rpmsg::wire::announcement>& heard)
{
    if (!heard)
        return "null";
    const rpmsg::announcement said{*heard};
    return fmt::format(R"({{"name":{},"news":"{}","address":{},"flags":{}}})", quoted(name_in(*heard)),
                       said.news(), heard->addr.get(), heard->flags.get());
}

// Buffers that overlap could make the text many times as long as the memory: each byte is told once.
std::string message(const message_report& m, std::size_t& budget)
{
    const bool is_told = m.payload.size() <= budget;
    budget -= is_told ? m.payload.size() : 0;
    return fmt::format(R"({{"ring":{},"descriptor":{},"owner":{},"certain":{},"offset":{},"src":{},"dst":{},)"
                       R"("reserved":{},"len":{},"flags":{},"announcement":{},"data":{}}})",
                       m.ring, m.id, quoted(word_of(m.with)), m.is_certain, m.offset, m.header.src.get(),
                       m.header.dst.get(), m.header.reserved.get(), m.header.len.get(), m.header.flags.get(),
                       announced(m.announcement), is_told ? quoted(hex(m.payload)) : "null");
}

std::string told(const finding& f)
{
    return fmt::format(R"({{"kind":{},"where":{},"what":{}}})", quoted(f.kind), quoted(f.where),
                       quoted(f.what));
}

}  // namespace

std::string to_json(const report& found, const look& how)
{
    std::size_t budget = found.size;
    return fmt::format(
        R"({{"file":{},"size":{},"base":{},"live":{},"torn":{},"clean":{},"table":{},"status":{},"offered":{},)"
        R"("accepted":{},"rings":{},"messages":{},"faults":{},"more_faults":{},"notes":{}}})"
        "\n",
        quoted(how.title), found.size, found.base, how.is_live, how.is_torn, found.faults.count() == 0,
        found.table ? table(*found.table) : "null", or_null(found.status), or_null(found.offered),
        or_null(found.accepted), array(found.rings, ring),
        array(found.messages, [&](const message_report& m) { return message(m, budget); }),
        array(found.faults.kept(), told), found.faults.count() - found.faults.kept().size(),
        array(found.notes.kept(), told));
}

}  // namespace tool::inspection
