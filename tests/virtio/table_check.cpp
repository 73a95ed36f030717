#include <rpmsg/virtio/table_check.hpp>

#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/table_rules.hpp>
#include <rpmsg/wire/config_space.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <random>
#include <span>
#include <vector>

using namespace rpmsg::virtio;
using namespace rpmsg::wire;
using rpmsg::errc;

namespace {

constexpr table_limits limits{.ring = {placed{0x3ED4'0000, 0x4000}, placed{0x3ED4'4000, 0x4000}}};

/// A table in memory of exactly its size, where a sanitizer sees each look outside.
class image {
public:
    explicit image(std::initializer_list<std::uint32_t> offsets = {20})
        : bytes_(16 + 4 * offsets.size() + sizeof(resource_rpmsg))
    {
        word(0, 1);
        word(4, static_cast<std::uint32_t>(offsets.size()));
        std::size_t at = 16;
        for (const auto offset : offsets) {
            word(at, offset);
            at += 4;
        }
        device(*(offsets.end() - 1));
    }
    image& word(std::size_t at, std::uint32_t value)
    {
        grow(at + 4);
        const le32 stored{value};
        std::memcpy(bytes_.data() + at, &stored, sizeof stored);
        return *this;
    }
    image& byte(std::size_t at, std::uint8_t value)
    {
        grow(at + 1);
        bytes_[at] = static_cast<std::byte>(value);
        return *this;
    }
    /// The entry of an RPMsg device, as a firmware writes it.
    image& device(std::size_t at)
    {
        const auto table = make_rpmsg_table(1, {.address = 0x3ED4'0000}, {.address = 0x3ED4'4000});
        grow(at + sizeof table.vdev);
        std::memcpy(bytes_.data() + at, &table.vdev, sizeof table.vdev);
        return *this;
    }
    image& config(std::size_t at, buffer_sizes sizes = {512, 512})
    {
        const config_space space{sizes};
        grow(at + sizeof space);
        std::memcpy(bytes_.data() + at, &space, sizeof space);
        return *this;
    }
    image& cut(std::size_t size)
    {
        bytes_.resize(size);
        bytes_.shrink_to_fit();
        return *this;
    }
    table_verdict check(const table_limits& with = limits) { return check_table(bytes_, with); }
    std::vector<std::byte>& bytes() { return bytes_; }

private:
    void grow(std::size_t size)
    {
        if (bytes_.size() < size)
            bytes_.resize(size);
    }
    std::vector<std::byte> bytes_;
};

constexpr std::size_t vdev = 20;  // of the only entry
constexpr std::size_t ring0 = vdev + 28;
constexpr std::size_t ring1 = ring0 + 20;

void check_broken(image& table, table_rule rule, errc why, const table_limits& with = limits)
{
    const auto verdict = table.check(with);
    CAPTURE(verdict.reason());
    CHECK(verdict.broken == rule);
    CHECK(verdict.error() == why);
    CHECK_FALSE(verdict);
    CHECK(verdict.reason() != reason_of(table_rule::none));
    CHECK_FALSE(verdict.reason().empty());
}

}  // namespace

// @spec Linux drivers/remoteproc/remoteproc_core.c, rproc_handle_resources()
TEST_CASE("a table that a firmware is built with keeps all rules", "[virtio][peers-3.1]")
{
    image table;
    const auto verdict = table.check();
    CHECK(verdict);
    CHECK(verdict.error() == errc{});
    CHECK(verdict.devices == 1);
    CHECK(verdict.unknown == 0);
    CHECK(verdict.reason() == reason_of(table_rule::none));
}

TEST_CASE("a table whose head is wrong is refused", "[virtio][peers-3.1]")
{
    image table;
    SECTION("at no multiple of 4")
    {
        std::vector<std::byte> moved(table.bytes().size() + 2);
        std::memcpy(moved.data() + 2, table.bytes().data(), table.bytes().size());
        CHECK(check_table(std::span{moved}.subspan(2), limits).broken == table_rule::table_aligned);
    }
    SECTION("without room for a header")
    {
        check_broken(table.cut(15), table_rule::header_present, errc::malformed);
    }
    SECTION("of version 0") { check_broken(table.word(0, 0), table_rule::version, errc::not_ready); }
    SECTION("of version 2") { check_broken(table.word(0, 2), table_rule::version, errc::not_ready); }
    SECTION("with a first reserved word")
    {
        check_broken(table.word(8, 1), table_rule::header_reserved, errc::malformed);
    }
    SECTION("with a second reserved word")
    {
        check_broken(table.word(12, 1), table_rule::header_reserved, errc::malformed);
    }
    SECTION("with a reserved word, whatever the entries hold")
    {
        check_broken(table.word(12, 1).word(ring0 + 8, 3), table_rule::header_reserved, errc::malformed);
    }
    SECTION("with more entries than fit")
    {
        check_broken(table.word(4, 0x4000'0001), table_rule::offsets_inside, errc::malformed);
    }
    SECTION("with an entry at no multiple of 4")
    {
        check_broken(table.word(16, 22), table_rule::entry_aligned, errc::misaligned);
    }
    SECTION("with an entry behind its end")
    {
        check_broken(table.word(16, 88), table_rule::entry_inside, errc::malformed);
    }
    SECTION("with an entry far behind its end")
    {
        check_broken(table.word(16, 0xFFFF'FFFC), table_rule::entry_inside, errc::malformed);
    }
    SECTION("without an entry")
    {
        check_broken(table.word(4, 0), table_rule::device_present, errc::not_ready);
    }
}

TEST_CASE("a device entry that breaks a rule is refused", "[virtio][peers-3.1]")
{
    image table;
    SECTION("cut off before its vrings")
    {
        check_broken(table.cut(40), table_rule::entry_inside, errc::malformed);
    }
    SECTION("cut off within its vrings")
    {
        check_broken(table.cut(87), table_rule::entry_inside, errc::malformed);
    }
    SECTION("with config space that is not there")
    {
        check_broken(table.word(vdev + 20, 1), table_rule::entry_inside, errc::malformed);
    }
    SECTION("with more config space than there can be")
    {
        check_broken(table.word(vdev + 20, 0xFFFF'FFFF), table_rule::entry_inside, errc::malformed);
    }
    SECTION("with a reserved byte")
    {
        check_broken(table.byte(vdev + 26, 1), table_rule::entry_reserved, errc::malformed);
    }
    SECTION("with the other reserved byte")
    {
        check_broken(table.byte(vdev + 27, 1), table_rule::entry_reserved, errc::malformed);
    }
    SECTION("of another virtio device")
    {
        check_broken(table.word(vdev + 4, 3), table_rule::device_present, errc::not_ready);
    }
    SECTION("with one vring")
    {
        check_broken(table.byte(vdev + 25, 1), table_rule::two_rings, errc::malformed);
    }
    SECTION("with three vrings")
    {
        check_broken(table.byte(vdev + 25, 3).cut(140), table_rule::two_rings, errc::malformed);
    }
    SECTION("with accepted features")
    {
        check_broken(table.word(vdev + 16, 1), table_rule::driver_untouched, errc::malformed);
    }
    SECTION("with a status")
    {
        check_broken(table.byte(vdev + 24, 7), table_rule::driver_untouched, errc::malformed);
    }
}

TEST_CASE("a vring that breaks a rule is refused", "[virtio][peers-3.1]")
{
    image table;
    const auto ring = GENERATE(ring0, ring1);
    SECTION("without descriptors")
    {
        check_broken(table.word(ring + 8, 0), table_rule::ring_size, errc::bad_ring_size);
    }
    SECTION("of a size that is no power of two")
    {
        check_broken(table.word(ring + 8, 48), table_rule::ring_size, errc::bad_ring_size);
    }
    SECTION("larger than Linux can have")
    {
        check_broken(table.word(ring + 8, 512), table_rule::ring_size, errc::bad_ring_size);
    }
    SECTION("without alignment")
    {
        check_broken(table.word(ring + 4, 0), table_rule::ring_align, errc::misaligned);
    }
    SECTION("of an alignment that is no power of two")
    {
        check_broken(table.word(ring + 4, 24), table_rule::ring_align, errc::misaligned);
    }
    SECTION("whose avail and used rings share a cache line")
    {
        auto cached = limits;
        cached.cache_line = 8192;
        check_broken(table, table_rule::ring_align, errc::misaligned, cached);
    }
    SECTION("at address 0: that is a request")
    {
        check_broken(table.word(ring, 0), table_rule::ring_address, errc::out_of_map);
    }
    SECTION("outside the memory for it")
    {
        check_broken(table.word(ring, 0x3ED5'0000), table_rule::ring_address, errc::out_of_map);
    }
    SECTION("reaching out of the memory for it")
    {
        check_broken(table.word(ring, ring == ring0 ? 0x3ED4'3000 : 0x3ED4'7000), table_rule::ring_address,
                     errc::out_of_map);
    }
    SECTION("at no multiple of its alignment")
    {
        check_broken(table.word(ring, ring == ring0 ? 0x3ED4'0800 : 0x3ED4'4800), table_rule::ring_address,
                     errc::out_of_map);
    }
    SECTION("with a physical address")
    {
        check_broken(table.word(ring + 16, 1), table_rule::ring_physical, errc::malformed);
    }
}

TEST_CASE("two vrings in one place are refused, wherever they may be", "[virtio][peers-3.1]")
{
    image table;
    const table_limits anywhere{};
    table.word(ring0, 0x1000).word(ring1, 0x2000);
    check_broken(table, table_rule::rings_apart, errc::out_of_map, anywhere);
    CHECK(table.word(ring1, 0x3000).check(anywhere));
}

TEST_CASE("vrings that are left to the driver ask for no place", "[virtio][peers-3.1]")
{
    image table;
    CHECK(table.word(ring0, 0xFFFF'FFFF).word(ring1, 0xFFFF'FFFF).check());
}

TEST_CASE("a table whose device runs may hold what its driver wrote", "[virtio][peers-3.1]")
{
    image table;
    auto running = limits;
    running.is_running = true;
    CHECK(table.word(vdev + 16, 1).byte(vdev + 24, 7).check(running));
}

TEST_CASE("a device that states its buffer sizes has them in its config space", "[virtio][peers-3.1]")
{
    image table;
    table.word(vdev + 12, 3);
    SECTION("all 11 bytes") { CHECK(table.word(vdev + 20, 11).config(vdev + 68).check()); }
    SECTION("and may have more there")
    {
        CHECK(table.word(vdev + 20, 12).config(vdev + 68).byte(99, 0).check());
    }
    SECTION("none are there") { check_broken(table, table_rule::config_inside, errc::malformed); }
    SECTION("one is missing")
    {
        check_broken(table.word(vdev + 20, 10).config(vdev + 68), table_rule::config_inside, errc::malformed);
    }
    SECTION("not announced but cut off")
    {
        check_broken(table.word(vdev + 20, 11).config(vdev + 68).cut(98), table_rule::entry_inside,
                     errc::malformed);
    }
    SECTION("of a buffer without room")
    {
        check_broken(table.word(vdev + 20, 11).config(vdev + 68, {16, 512}), table_rule::config_sizes,
                     errc::malformed);
    }
}

TEST_CASE("other entries are looked at as far as Linux does", "[virtio][peers-3.1]")
{
    image table{24, 84};  // 60 bytes for the first
    SECTION("a carveout") { CHECK(table.word(24, 0).check()); }
    SECTION("a carveout with a reserved word")
    {
        check_broken(table.word(24, 0).word(24 + 20, 1), table_rule::entry_reserved, errc::malformed);
    }
    SECTION("a trace") { CHECK(table.word(24, 2).check()); }
    SECTION("a trace with a reserved word")
    {
        check_broken(table.word(24, 2).word(24 + 12, 1), table_rule::entry_reserved, errc::malformed);
    }
    SECTION("device memory without an IOMMU")
    {
        check_broken(table.word(24, 1), table_rule::needs_iommu, errc::unsupported);
    }
    SECTION("device memory with an IOMMU")
    {
        auto mapped = limits;
        mapped.has_iommu = true;
        CHECK(table.word(24, 1).check(mapped));
        check_broken(table.word(24 + 20, 1), table_rule::entry_reserved, errc::malformed, mapped);
    }
    SECTION("a vendor's own") { CHECK(table.word(24, 128).check().unknown == 0); }
    SECTION("a vendor's last") { CHECK(table.word(24, 512).check().unknown == 0); }
    SECTION("unknown ones are passed over, and counted")
    {
        CHECK(table.word(24, 4).check());
        CHECK(table.check().unknown == 1);
        CHECK(table.word(24, 513).check().unknown == 1);
        CHECK(table.check().devices == 1);
    }
    SECTION("the verdict says which entry is wrong")
    {
        check_broken(table.word(24, 4).word(84 + 28 + 8, 3), table_rule::ring_size, errc::bad_ring_size);
        CHECK(table.check().entry == 1);
    }
}

TEST_CASE("an entry of each kind is refused when the table ends within it", "[virtio][peers-3.1]")
{
    const auto [type, size] = GENERATE(std::pair{0U, 56U}, std::pair{1U, 56U}, std::pair{2U, 48U});
    image table{20};
    table.cut(20 + size - 1).word(20, type);
    for (std::size_t i = 24; i != table.bytes().size(); ++i)
        table.byte(i, 0);
    check_broken(table, table_rule::entry_inside, errc::malformed);
}

TEST_CASE("a table of two RPMsg devices has both checked", "[virtio][peers-3.1]")
{
    image table{24, 24 + 68};
    table.device(24);
    CHECK(table.check().devices == 2);

    // The places that are set aside are those of one of them.
    auto second = limits;
    second.device = 1;
    table.word(24 + 28, 0x1000'0000);
    CHECK(table.check(second));
    check_broken(table, table_rule::ring_address, errc::out_of_map);
    second.device = 2;
    check_broken(table, table_rule::device_present, errc::not_ready, second);
    table.device(24);

    check_broken(table.word(24 + 68 + 28 + 8, 0), table_rule::ring_size, errc::bad_ring_size);
}

TEST_CASE("no table, whatever its bytes, has the check look outside it", "[virtio][peers-3.1]")
{
    std::mt19937 random{4};
    for (int i = 0; i != 20'000; ++i) {
        image table{24, 24 + 68};
        table.device(24);
        for (auto hits = random() % 4; hits != 0; --hits)
            table.word(random() % 40 * 4,
                       static_cast<std::uint32_t>(random() % 3 == 0 ? random() : random() % 100));
        if (random() % 2 == 0)
            table.cut(random() % (table.bytes().size() + 1));
        const auto verdict = table.check();
        if (verdict.error() == errc{} && verdict.devices == 0)
            FAIL("a table without a device was found good");
    }
}
