// What `rpmsg inspect` works out, one thing at a time; tools/lib/inspect_golden.py compares whole images.

#include "inspect_history.hpp"
#include "inspect_show.hpp"
#include "legal_traffic.hpp"
#include "support/catch.hpp"

#include <rpmsg/wire/resource_table.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace tool::inspection;

namespace {

/// A ring of 4 that is young: all that was ever published is in it.
ring_history young(std::int32_t lent, std::int32_t back)
{
    ring_history rings;
    rings.size = 4;
    rings.outstanding = lent - back;
    rings.avail.resize(4);
    rings.used.resize(4);
    rings.avail_remembered = lent;
    rings.used_remembered = back;
    return rings;
}

std::vector<std::string> kinds(const findings& all)
{
    std::vector<std::string> out;
    for (const auto& one : all.kept())
        out.push_back(one.kind);
    return out;
}

std::vector<std::byte> only_a_table()
{
    const auto table = rpmsg::wire::make_rpmsg_table(1, {}, {});
    std::vector<std::byte> memory(sizeof table);
    std::memcpy(memory.data(), &table, sizeof table);
    return memory;
}

}  // namespace

TEST_CASE("who has a descriptor follows from the order in which it was lent and given back", "[inspect]")
{
    // Lent 0, 1, 2; 1 came back.
    auto rings = young(3, 1);
    rings.avail[0] = {-1};
    rings.avail[1] = {0};
    rings.avail[2] = {1};
    rings.used[1] = {-1};
    const auto all = find_holders(rings);

    CHECK(all[0].is_device);
    CHECK(all[0].is_taken);  // before 1, which came back
    CHECK_FALSE(all[1].is_device);
    CHECK(all[2].is_device);
    CHECK_FALSE(all[2].is_taken);
    CHECK_FALSE(all[3].is_device);
    for (const auto& one : all) {
        CHECK(one.is_certain);
        CHECK(one.broken == contradiction::none);
    }
}

TEST_CASE("no more is called a guess than has to be: never are more lent than the ring has", "[inspect]")
{
    // Lent 0, 1, 2, 3, and 0 again; back came 0, 1, 3, 2. The first lending of 0 is forgotten.
    auto rings = young(5, 4);
    rings.avail_remembered = 4;
    rings.avail_has_more = true;
    rings.avail[0] = {0};
    rings.avail[1] = {-3};
    rings.avail[2] = {-2};
    rings.avail[3] = {-1};
    rings.used[0] = {-4};
    rings.used[1] = {-3};
    rings.used[2] = {-1};
    rings.used[3] = {-2};
    const auto all = find_holders(rings);

    CHECK(all[0].is_device);  // 0 came back while 4 at most were lent, so before it was lent again
    for (const auto& one : all)
        CHECK(one.is_certain);
}

TEST_CASE("entries that contradict each other are told apart", "[inspect]")
{
    SECTION("a descriptor that is lent twice")
    {
        auto rings = young(2, 0);
        rings.avail[3] = {0, 1};
        CHECK(find_holders(rings)[3].broken == contradiction::lent_twice);
    }
    SECTION("one that comes back and was never lent")
    {
        auto rings = young(1, 1);
        rings.avail[0] = {-1};
        rings.used[2] = {-1};
        CHECK(find_holders(rings)[2].broken == contradiction::never_lent);
    }
    SECTION("one that comes back twice")
    {
        auto rings = young(2, 2);
        rings.avail[0] = {-2};
        rings.avail[1] = {-1};
        rings.used[0] = {-2, -1};
        CHECK(find_holders(rings)[0].broken == contradiction::never_lent);
    }
}

TEST_CASE("what the rings have forgotten is guessed, and called a guess", "[inspect]")
{
    // For a long time descriptor 0 alone goes to and fro: it is out, or another that was lent before.
    auto rings = young(4, 4);
    rings.outstanding = 1;
    rings.avail_has_more = rings.used_has_more = true;
    rings.avail[0] = {-3, -2, -1, 0};
    rings.used[0] = {-4, -3, -2, -1};
    const auto all = find_holders(rings);

    CHECK(all[0].is_device);
    CHECK_FALSE(all[0].is_certain);
    CHECK_FALSE(all[1].is_device);
}

TEST_CASE("of legal traffic nothing is said that is not so", "[inspect]")
{
    std::mt19937 random{7};
    for (int i = 0; i != 20; ++i) {
        legal::link link{legal::any_shape(random)};
        for (int picture = 0; picture != 50; ++picture) {
            for (auto steps = random() % 60; steps != 0; --steps)
                link.step(random);
            const auto found = analyse({link.memory(), 0}, link.question());
            CHECK(found.problem.empty());
            CHECK(link.lie(found).empty());
        }
    }
}

TEST_CASE("a table whose driver is not there is shown, and its rings are not judged", "[inspect]")
{
    auto memory = only_a_table();
    const auto found = analyse({memory, 0}, {});
    REQUIRE(found.table);
    CHECK(found.faults.count() == 0);
    CHECK(kinds(found.notes) == std::vector<std::string>{"not_live"});

    SECTION("unless it says DRIVER_OK: then nobody can find rings that were not placed")
    {
        memory[offsetof(rpmsg::wire::rpmsg_table, vdev.status)] = std::byte{4};
        CHECK(kinds(analyse({memory, 0}, {}).faults) ==
              std::vector<std::string>{"ring_unplaced", "ring_unplaced"});
    }
}

TEST_CASE("there is nothing to report where no table is, and a sentence says so", "[inspect]")
{
    const std::vector<std::byte> nothing(4096);
    CHECK(analyse({nothing, 0}, {}).problem.starts_with("there is no resource table"));
    CHECK(analyse({{}, 0}, {}).problem.starts_with("there is no resource table"));

    const auto memory = only_a_table();
    CHECK(analyse({memory, 0}, {.device = 1}).problem.ends_with("has no RPMsg device 1"));
}

TEST_CASE("what a peer wrote cannot break the JSON or the terminal", "[inspect]")
{
    report found;
    message_report message;
    message.announcement.emplace();
    message.announcement->name = {'"', '\\', '\n', '\x1b', '\xff'};
    found.messages.push_back(message);
    found.rings.emplace_back();
    const auto json = to_json(found, {.title = "\"\n"});

    CHECK(json.find(R"("name":"\u0022\u005c\u000a\u001b\u00ff")") != std::string::npos);
    CHECK(json.find(R"("file":"\u0022\u000a")") != std::string::npos);
    const auto drawn = draw(found, {.title = "\x1b[2J"});
    CHECK(drawn.find('\x1b') == std::string::npos);
}
