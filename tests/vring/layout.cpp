#include <rpmsg/vring/layout.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

using namespace rpmsg::vring;
using rpmsg::policy::ring_alignment;

namespace {

struct row {
    std::uint32_t num;
    std::uint32_t align;
    layout expected;
};

constexpr bool operator==(const layout& a, const layout& b)
{
    return a.avail == b.avail && a.used_event == b.used_event && a.used == b.used &&
           a.avail_event == b.avail_event && a.size == b.size;
}

template <std::size_t N>
constexpr bool holds(const std::array<row, N>& table, ring_alignment rule)
{
    for (const auto& [num, align, expected] : table)
        if (!(layout_of(num, align, rule) == expected))
            return false;
    return true;
}

// reference/openamp.md 1.5, whole.
constexpr std::array<row, 11> openamp{{
    {1, 4, {16, 22, 24, 36, 38}},
    {2, 4, {32, 40, 44, 64, 66}},
    {8, 4, {128, 148, 152, 220, 222}},
    {8, 16, {128, 148, 160, 228, 230}},
    {16, 4, {256, 292, 296, 428, 430}},
    {16, 16, {256, 292, 304, 436, 438}},
    {16, 64, {256, 292, 320, 452, 454}},
    {16, 4096, {256, 292, 4096, 4228, 4230}},
    {64, 4, {1024, 1156, 1160, 1676, 1678}},
    {256, 16, {4096, 4612, 4624, 6676, 6678}},
    {256, 4096, {4096, 4612, 8192, 10244, 10246}},
}};
static_assert(holds(openamp, ring_alignment::virtio));
static_assert(layout_of(512, 4096) == layout{8192, 9220, 12288, 16388, 16390},
              "virtio's rule is the default");

// reference/peers.md 2.3, whole: used ring and total, by alignment.
struct place {
    std::size_t used;
    std::size_t size;
};
constexpr std::array<std::uint32_t, 5> alignments{4, 8, 16, 64, 4096};
constexpr std::array<std::array<place, 5>, 8> by_size{{
    {{{44, 66}, {48, 70}, {48, 70}, {64, 86}, {4096, 4118}}},
    {{{80, 118}, {80, 118}, {80, 118}, {128, 166}, {4096, 4134}}},
    {{{152, 222}, {152, 222}, {160, 230}, {192, 262}, {4096, 4166}}},
    {{{296, 430}, {296, 430}, {304, 438}, {320, 454}, {4096, 4230}}},
    {{{584, 846}, {584, 846}, {592, 854}, {640, 902}, {4096, 4358}}},
    {{{1160, 1678}, {1160, 1678}, {1168, 1686}, {1216, 1734}, {4096, 4614}}},
    {{{2312, 3342}, {2312, 3342}, {2320, 3350}, {2368, 3398}, {4096, 5126}}},
    {{{4616, 6670}, {4616, 6670}, {4624, 6678}, {4672, 6726}, {8192, 10246}}},
}};
constexpr bool peers_agree()
{
    std::uint32_t num = 2;
    for (const auto& line : by_size) {
        for (std::size_t i = 0; i != alignments.size(); ++i) {
            const auto at = layout_of(num, alignments[i]);
            if (at.used != line[i].used || at.size != line[i].size)
                return false;
        }
        num *= 2;
    }
    return true;
}
static_assert(peers_agree());

constexpr auto lite(std::uint32_t num, std::uint32_t align)
{
    return layout_of(num, align, ring_alignment::rpmsg_lite);
}

// rpmsg-lite does not count used_event before it rounds up, and leaves no room for avail_event.
static_assert(lite(8, 4) == layout{128, 148, 148, 216, 216});
static_assert(lite(2, 8).used == 40 && layout_of(2, 8).used == 48);
static_assert(lite(1, 4).used == 24 && layout_of(1, 4).used == 24, "with one descriptor they agree");
constexpr bool lite_differs_where_it_should()
{
    for (std::uint32_t num = 2; num <= 32768; num *= 2) {
        if (lite(num, 4).used + 4 != layout_of(num, 4).used)
            return false;
        if (lite(num, 8).used + (num == 2 ? 8 : 0) != layout_of(num, 8).used)
            return false;
        for (std::uint32_t align = 16; align <= 4096; align *= 2)
            if (lite(num, align).used != layout_of(num, align).used)
                return false;
    }
    return true;
}
static_assert(lite_differs_where_it_should());

static_assert(aligns_rings(4) && aligns_rings(8) && aligns_rings(4096) && aligns_rings(65536));
static_assert(!aligns_rings(0) && !aligns_rings(1) && !aligns_rings(2),
              "the used ring holds words of 32 bits");
static_assert(!aligns_rings(3) && !aligns_rings(6) && !aligns_rings(12) && !aligns_rings(0xFFFF'FFFFU));
static_assert(!aligns_rings(131072) && !aligns_rings(0x8000'0000U),
              "nobody needs more, and sizes must not wrap");

// The largest ring there is, by the coarsest alignment a link takes: no number here comes near a wrap.
static_assert(layout_of(32768, 65536).size == 524288 + 131072 + 4 + 32768 * 8 + 2);

}  // namespace

// @spec virtio 1.2, 2.7; virtio 1.2, 2.7.2
TEST_CASE("the parts of a ring lie where its layout says", "[vring]")
{
    constexpr auto at = layout_of(8, 16);
    std::vector<std::byte> memory(at.size);
    const split ring{memory.data(), at};
    const auto offset = [&](const auto& part) {
        return reinterpret_cast<const std::byte*>(&part) - memory.data();
    };

    CHECK(offset(ring.descriptor_at(0)) == 0);
    CHECK(offset(ring.descriptor_at(7)) == 112);
    CHECK(offset(ring.avail()) == 128);
    CHECK(offset(ring.avail_at(0)) == 132);
    CHECK(offset(ring.avail_at(7)) == 146);
    CHECK(offset(ring.used_event(8)) == 148);
    CHECK(offset(ring.used()) == 160);
    CHECK(offset(ring.used_at(0)) == 164);
    CHECK(offset(ring.used_at(7)) == 220);
    CHECK(offset(ring.avail_event(8)) == 228);
}

// One of these per size and rule would overlap if a part were a byte too long.
// @spec virtio 1.2, 2.7.2; rpmsg-lite lib/include/virtio_ring.h, vring_init()
TEST_CASE("no two parts of a ring share a byte", "[vring]")
{
    for (const auto rule : {ring_alignment::virtio, ring_alignment::rpmsg_lite})
        for (std::uint32_t num = 1; num <= 32768; num *= 2)
            for (std::uint32_t align = 4; align <= 65536; align *= 2) {
                const auto at = layout_of(num, align, rule);
                CAPTURE(num, align);
                REQUIRE(at.avail == std::size_t{num} * 16);
                REQUIRE(at.used_event == at.avail + 4 + std::size_t{num} * 2);
                const auto event = rule == ring_alignment::virtio ? 2U : 0U;
                REQUIRE(at.used >= at.used_event + event);
                REQUIRE(at.used < at.used_event + event + align);
                REQUIRE(at.used % align == 0);
                REQUIRE(at.avail_event == at.used + 4 + std::size_t{num} * 8);
                REQUIRE(at.size == at.avail_event + event);
            }
}
