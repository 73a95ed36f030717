// Single images: our device attached to memory that another library left, and the tables in it.

#include "golden/recording.hpp"
#include "golden/region.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/counting_doorbell.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace golden;
using rpmsg::policy::vring_id;

namespace {

template <rpmsg::policy::dialect Dialect>
struct image_board : rpmsg::policy::board_defaults {
    using dialect = Dialect;
    using coherence = rpmsg::policy::single_core;
    using address_map = rpmsg::policy::offset;
    using ring = rpmsg::policy::ring_of<8>;
};

/// Whether no device has read anything in this image yet, and a driver is there.
bool is_cold(const step& s)
{
    if (!s.image || !s.has("private.driver"))
        return false;
    const auto seen = s.one("private.device");
    return !s.has("private.device") ||
           (seen.get("vring0_avail_seen") == 0 && seen.get("vring1_avail_seen") == 0);
}

/// Attaches a device of ours to an image: what waits for it comes out, in order, and nothing else.
template <rpmsg::policy::dialect Dialect, typename Transport, typename Made>
void attach(const scenario& s, const step& at, Made make)
{
    region shared{s};
    std::ranges::copy(*at.image, shared.memory.begin());
    const auto before = shared.memory;
    const auto first_used = shared.used_idx(1);

    std::vector<line> waiting;
    for (const auto& l : at.all("pending"))
        if (l.text("to") == "device")
            waiting.push_back(l);

    using bus_type = rpmsg::device_bus<image_board<Dialect>, Transport>;
    using receiver = std::function<void(rpmsg::message)>;
    using endpoint = rpmsg::endpoint<typename bus_type::basic, void, receiver>;
    bus_type bus{make(shared), {.address_map = rpmsg::policy::offset{shared.memory, shared.base}}};
    std::vector<std::string> out;
    std::map<std::uint32_t, std::unique_ptr<endpoint>> endpoints;
    for (const auto& l : waiting) {
        auto& e = endpoints[l.get("dst")];
        if (e || l.get("dst") == 53)
            continue;
        e = std::make_unique<endpoint>(bus, receiver{[&out](rpmsg::message in) {
                                           out.push_back(std::to_string(in.source().value()) + ">" +
                                                         std::to_string(in.destination().value()) + " " +
                                                         hex(in.payload()));
                                       }});
        REQUIRE(e->open(rpmsg::address{l.get("dst")}));
    }
    while (bus.poll().more) {}
    REQUIRE(bus.state() == rpmsg::link_state::up);
    CHECK(bus.max_payload() == s.get("buf.vring0") - 16);
    CHECK(bus.poll().handled == 0);

    std::vector<std::string> expected;
    for (const auto& l : waiting)
        if (l.get("dst") != 53)
            expected.push_back(std::to_string(l.get("src")) + ">" + std::to_string(l.get("dst")) + " " +
                               hex(l.data()));
    CHECK(out == expected);

    // The buffers went back in that order, whole; and nothing else was written.
    auto i = first_used;
    for (const auto& l : waiting) {
        CHECK(shared.word(shared.used_entry(1, i)) == l.get("id"));
        CHECK(shared.word(shared.used_entry(1, i++) + 4) ==
              shared.word(shared.descriptor(1, l.get("id")) + 8));
    }
    CHECK(shared.used_idx(1) == i);
    CHECK(shared.used_idx(0) == 0);
    const auto& rings = shared.rings;
    const auto end = [&](const ring_at& r) { return r.used + 4 + 8U * shared.num; };
    const auto mark = Dialect::alignment == rpmsg::policy::ring_alignment::virtio ? 2U : 0U;
    const auto strayed = difference(before, shared.memory,
                                    {{rings[0].used, rings[0].used + 2},
                                     {end(rings[0]), end(rings[0]) + mark},
                                     {rings[1].used, end(rings[1]) + mark}});
    INFO(strayed);
    CHECK(strayed.empty());
}

std::vector<std::byte> table_of(const scenario& s, const bytes& image)
{
    const auto first = image.begin() + s.get("table.off");
    return {first, first + s.get("table.len")};
}

}  // namespace

TEST_CASE("a device attached to rings that a driver filled takes out what waits, in order",
          "[golden][device]")
{
    using rpmsg::virtio::resource_table;
    using rings = rpmsg::virtio::fixed_rings<rpmsg::virtio::role::device>;
    int attached = 0;
    std::size_t messages = 0;
    for (const auto& name : all_scenarios) {
        if (name.starts_with("oa-11"))  // no rings in these images
            continue;
        const auto s = load(name);
        const rpmsg::virtio::ring_places places{
            .to_driver = {s.get("vring0.pa"), s.get("num"), s.get("align"), 0},
            .to_device = {s.get("vring1.pa"), s.get("num"), s.get("align"), 1}};
        rpmsg::virtio::first_doorbell heard;
        heard.rang();
        const auto by_table = [&](region& shared) {
            return *resource_table::find(
                std::span{shared.memory}.subspan(s.get("table.off"), s.get("table.len")));
        };
        const auto by_places = [&](region& /*shared*/) { return rings{places, heard}; };
        for (const auto& at : s.steps) {
            if (!is_cold(at) || at.one("vring0").get("avail_idx") == 0)
                continue;
            INFO(name << " step " << at.label << ": " << at.one("what").value);
            const bool lite = s.text("recorder.driver").find("rpmsg-lite") != std::string::npos;
            if (s.has("table.off") && lite)
                attach<rpmsg::policy::rpmsg_lite, resource_table>(s, at, by_table);
            else if (s.has("table.off"))
                attach<rpmsg::policy::openamp, resource_table>(s, at, by_table);
            else if (lite)
                attach<rpmsg::policy::rpmsg_lite, rings>(s, at, by_places);
            else
                attach<rpmsg::policy::linux_kernel, rings>(s, at, by_places);
            ++attached;
            messages += at.all("pending").size();
        }
    }
    CHECK(attached > 60);
    CHECK(messages > 60);
}

TEST_CASE("OpenAMP's resource tables say what they were made with", "[golden]")
{
    int read = 0;
    for (const auto& name : all_scenarios) {
        const auto s = load(name);
        if (!s.has("table.off"))
            continue;
        for (const auto& at : s.steps) {
            if (!at.image)
                continue;
            INFO(name << " step " << at.label << ": " << at.one("what").value);
            auto bytes = table_of(s, *at.image);
            const auto table = rpmsg::virtio::resource_table::find(bytes);
            REQUIRE(table);
            rpmsg::policy::single_core barriers;
            const auto where = [&](std::size_t offset) {
                return static_cast<std::uint32_t>(std::to_integer<unsigned>(bytes.at(offset)));
            };
            CHECK(table->offered(barriers) == s.get("features"));
            CHECK(table->status(barriers) == where(s.get("status.off") - s.get("table.off")));
            CHECK(table->accepted(barriers) == where(s.get("gfeatures.off") - s.get("table.off")));
            for (const auto which : {vring_id::to_driver, vring_id::to_device}) {
                const auto key = "vring" + std::to_string(static_cast<int>(which));
                const auto ring = table->ring(barriers, which);
                CHECK(ring.notify_id == static_cast<std::uint32_t>(which) + 1);
                if (s.has("num")) {
                    CHECK(ring.address == s.get(key + ".pa"));
                    CHECK(ring.num == s.get("num"));
                    CHECK(ring.align == s.get("align"));
                } else {  // what is only in a note: 256 descriptors at 0x1000, and whether "any"
                    CHECK(ring.num == 256);
                    CHECK(ring.align == 0x1000);
                    CHECK(table->is_placed(barriers, which) == (name != "oa-11-table-any"));
                }
            }
            ++read;
        }
    }
    CHECK(read > 100);
}

// @spec Linux include/linux/remoteproc.h, struct resource_table
// @spec Linux include/linux/remoteproc.h, struct fw_rsc_vdev
// @spec Linux include/linux/remoteproc.h, struct fw_rsc_vdev_vring
TEST_CASE("OpenAMP's table of the generic demo is laid out as ours, byte for byte", "[golden]")
{
    const auto s = load("oa-11-table-generic");
    const auto recorded = table_of(s, s.steps.at(0).image.value());
    rpmsg::policy::single_core barriers;
    auto copy = recorded;
    const auto found = *rpmsg::virtio::resource_table::find(copy);
    const auto request = [&](vring_id which) {
        const auto ring = found.ring(barriers, which);
        return rpmsg::wire::vring_request{.address = static_cast<std::uint32_t>(ring.address),
                                          .align = ring.align,
                                          .num = ring.num,
                                          .notify_id = ring.notify_id};
    };
    const auto ours = rpmsg::wire::make_rpmsg_table(s.get("features"), request(vring_id::to_driver),
                                                    request(vring_id::to_device));
    CHECK(hex_of(ours) == hex(recorded));
}

TEST_CASE("OpenAMP's driver comes up with one status write and asks for a reset by NEEDS_RESET alone",
          "[golden]")
{
    for (const std::string name : {"oa-11-table-any", "oa-11-table-generic"}) {
        const auto s = load(name);
        std::set<unsigned> seen;
        for (const auto& at : s.steps)
            if (at.image)
                seen.insert(std::to_integer<unsigned>(at.image->at(s.get("status.off"))));
        INFO(name);
        CHECK(seen ==
              std::set<unsigned>{0, rpmsg::virtio::status::driver_ok, rpmsg::virtio::status::needs_reset});
    }
}
