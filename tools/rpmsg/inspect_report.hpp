#pragma once

#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/virtio/table_check.hpp>
#include <rpmsg/virtio/transport.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/announcement.hpp>
#include <rpmsg/wire/header.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

/// What `rpmsg inspect` finds in memory: asked for by a question, answered by a report.
namespace tool::inspection {

/// A copy of the memory, and which address its first byte has for the peers.
struct picture {
    std::span<const std::byte> bytes;
    std::uint64_t base = 0;

    [[nodiscard]] rpmsg::virtio::placed place() const { return {base, bytes.size()}; }
    /// Where in the file `count` bytes at a peer's address are; nothing when they are not all in it.
    [[nodiscard]] std::optional<std::size_t> find(std::uint64_t address, std::uint64_t count) const
    {
        if (!place().holds(address, count))
            return {};
        return static_cast<std::size_t>(address - base);
    }
    [[nodiscard]] bool holds(std::size_t offset, std::size_t count) const
    {
        return offset <= bytes.size() && count <= bytes.size() - offset;
    }
    /// @pre holds(offset, sizeof(T))
    template <typename T>
    [[nodiscard]] T at(std::size_t offset) const
    {
        static_assert(std::is_trivially_copyable_v<T>);
        T copy;
        std::memcpy(&copy, bytes.data() + offset, sizeof copy);
        return copy;
    }
};

/// What is known beforehand of the memory.
struct question {
    std::uint64_t at = 0;      ///< Where in the file a resource table is looked for first.
    std::uint32_t device = 0;  ///< Which of the table's RPMsg devices.
    std::array<std::optional<std::uint64_t>, 2>
        ring{};  ///< Where there is no table: to the driver, to the device.
    std::uint32_t num = 0;
    std::uint32_t align = 0;
    std::optional<std::uint64_t> status{};  ///< Where Zephyr's status byte is.
    rpmsg::policy::ring_alignment rule = rpmsg::policy::ring_alignment::virtio;
    bool prefilled = false;  ///< The driver puts all buffers into vring1's used ring before it starts.

    [[nodiscard]] bool names_rings() const { return ring[0].has_value(); }
};

/// Something that breaks the spec, or a remark.
struct finding {
    std::string kind;   ///< For scripts: "ring_outside".
    std::string where;  ///< For people: "vring 0", "entry 1 of the table".
    std::string what;
};

/// Some findings, and how many more there were.
class findings {
public:
    static constexpr std::size_t most = 1000;

    template <typename... Arguments>
    void add(std::string_view kind, std::string_view where, fmt::format_string<Arguments...> text,
             Arguments&&... arguments)
    {
        if (kept_.size() == most)
            ++left_out_;
        else
            kept_.push_back({std::string{kind}, std::string{where},
                             fmt::format(text, std::forward<Arguments>(arguments)...)});
    }
    [[nodiscard]] const std::vector<finding>& kept() const { return kept_; }
    [[nodiscard]] std::size_t count() const { return kept_.size() + left_out_; }

private:
    std::vector<finding> kept_;
    std::size_t left_out_ = 0;
};

/// One entry of the resource table.
struct table_entry {
    std::uint32_t number = 0;
    std::size_t offset = 0;  ///< From the start of the file.
    std::uint32_t type = 0;
    std::string_view kind = "unknown";
    struct field {
        std::string_view name;
        std::uint64_t value;
    };
    std::vector<field> fields;
    std::optional<std::string> name;
    std::vector<rpmsg::wire::resource_vring> vrings;
    bool is_rpmsg = false;
};

struct table_report {
    std::size_t offset = 0;
    bool was_searched = false;  ///< It was not where it was looked for first.
    std::size_t others = 0;     ///< Tables that the search found besides.
    std::uint32_t version = 0;
    std::uint32_t num = 0;
    std::vector<table_entry> entries;
    std::optional<rpmsg::wire::buffer_sizes> sizes;
};

/// Who has a descriptor, as far as the two rings tell.
enum class owner : std::uint8_t {
    driver,     ///< Never lent, as far as the rings remember.
    available,  ///< Made available to the device, which may have taken it.
    taken,      ///< Taken by the device for certain: it has given a later one back.
    used,       ///< Given back by the device; the driver may have seen that.
    unknown,    ///< The rings contradict themselves.
};

struct descriptor_report {
    rpmsg::wire::descriptor raw{};
    owner with = owner::driver;
    bool is_certain = true;
    bool is_prefilled = false;                ///< Given "back" by the driver itself before the start.
    std::optional<std::uint32_t> avail_slot;  ///< Of its newest entry.
    std::optional<std::uint32_t> used_slot;
    std::uint32_t used_len = 0;
};

struct ring_report {
    std::uint32_t which = 0;
    rpmsg::virtio::ring_place place{};
    rpmsg::vring::layout layout{};
    std::optional<std::size_t> offset;  ///< In the file; nothing when it cannot be read.
    bool is_blank = false;              ///< Every byte is the same: nobody has laid it out.
    std::uint8_t blank_byte = 0;
    std::uint16_t avail_flags = 0;
    std::uint16_t avail_idx = 0;
    std::uint16_t used_flags = 0;
    std::uint16_t used_idx = 0;
    std::optional<std::uint16_t> used_event;   ///< Where EVENT_IDX is on.
    std::optional<std::uint16_t> avail_event;  ///< Where EVENT_IDX is on and there is room.
    std::uint32_t with_device = 0;             ///< By the indices. Meaningless unless is_plausible.
    bool is_plausible = false;                 ///< The indices are no more than a lap apart.
    bool is_prefilled = false;
    bool is_certain = true;            ///< False: some owners are a guess.
    std::vector<std::uint16_t> avail;  ///< The entries, by slot.
    std::vector<rpmsg::wire::used_element> used;
    std::uint32_t avail_written = 0;  ///< Slots that were ever written, as far as can be seen.
    std::uint32_t used_written = 0;
    std::vector<descriptor_report> descriptors;
    std::vector<std::uint16_t> lent;  ///< With the device, in the order in which they were made available.
    std::vector<std::uint16_t> back;  ///< Given back and not lent again, in the order of that.
};

/// A message that lies in a buffer: to the device, lent and not back; to the driver, used and not lent again.
struct message_report {
    std::uint32_t ring = 0;
    std::uint16_t id = 0;
    owner with = owner::available;
    bool is_certain = true;
    std::size_t offset = 0;      ///< Of the header, in the file.
    std::uint32_t capacity = 0;  ///< Bytes that the buffer, or its used entry, gives.
    rpmsg::wire::header header{};
    std::span<const std::byte> payload;  ///< In the picture; cut where it reaches out.
    std::optional<rpmsg::wire::announcement> announcement;
};

struct report {
    std::string problem;  ///< Not empty: there is nothing to report, and this sentence says why.
    std::uint64_t base = 0;
    std::size_t size = 0;
    std::optional<table_report> table;
    std::optional<std::uint8_t> status;
    std::optional<std::uint32_t> offered;   ///< Features.
    std::optional<std::uint32_t> accepted;  ///< Features.
    bool is_live = true;                    ///< DRIVER_OK is set, or there is no status to ask.
    std::vector<ring_report> rings;
    std::vector<message_report> messages;
    findings faults;
    findings notes;
};

/// Everything that the memory tells. A pure function: it only reads, and whatever the bytes are it ends.
[[nodiscard]] report analyse(const picture& memory, const question& asked);

}  // namespace tool::inspection
