#include <rpmsg/platform/linux/guest_memory.hpp>

#include "guest_files.hpp"
#include "support/catch.hpp"

#include <cstddef>

#include <unistd.h>

using namespace rpmsg::platform;
using platform_test::file_of_64k;
using platform_test::two_regions;
using rpmsg::errc;

TEST_CASE("the bus keeps its memory until it takes other rings", "[platform]")
{
    const file_of_64k of;
    guest_memory memory;
    CHECK(memory.to_local(0x1000, 1) == nullptr);
    CHECK(memory.offered() == nullptr);
    REQUIRE(memory.offer(two_regions(of.file)) == errc{});
    CHECK(memory.to_local(0x1000, 1) == nullptr);  // offered, not taken
    memory.attach();
    auto* const first = memory.to_local(0x1000, 1);
    REQUIRE(first != nullptr);
    memory.attach();
    CHECK(memory.to_local(0x1000, 1) == first);

    REQUIRE(memory.offer(two_regions(of.file)) == errc{});
    CHECK(memory.to_local(0x1000, 1) == first);
    REQUIRE(memory.offer(nullptr) == errc{});
    CHECK(memory.to_local(0x1000, 1) == first);
    CHECK(memory.offered() == nullptr);
    REQUIRE(memory.offer(two_regions(of.file)) == errc{});
    memory.attach();
    CHECK(memory.to_local(0x1000, 1) != first);
    CHECK(memory.to_guest(first) == 0);
    CHECK(memory.tables() == 2);  // another thread may be in the middle of a copy
}

TEST_CASE("memory outlives the last handle of its epoch, and no longer", "[platform]")
{
    const file_of_64k of;
    guest_memory memory;
    const auto take_new = [&] {
        REQUIRE(memory.offer(two_regions(of.file)) == errc{});
        memory.attach();
    };
    take_new();
    auto* const first = memory.to_local(0x1000, 1);
    memory.hold(0);
    memory.hold(0);
    take_new();
    memory.hold(1);
    memory.drop(1);
    take_new();
    take_new();
    memory.hold(3);
    CHECK(memory.tables() == 3);  // two, and the first
    first[0] = std::byte{1};      // still there
    memory.drop(0);
    CHECK(memory.tables() == 3);
    memory.drop(0);
    CHECK(memory.tables() == 2);
    take_new();
    take_new();
    CHECK(memory.tables() == 3);
    memory.drop(3);
    CHECK(memory.tables() == 2);
    memory.drop(3);  // one too many is nobody's
    CHECK(memory.tables() == 2);
}

TEST_CASE("memory that was parted from is ours alone, and what is offered is mapped anew", "[platform]")
{
    const file_of_64k of;
    guest_memory memory;
    const auto in_the_file = [&] {
        std::byte seen{};
        REQUIRE(::pread(of.file.get(), &seen, 1, 0) == 1);
        return seen;
    };
    memory.part();  // from nothing
    REQUIRE(memory.offer(two_regions(of.file)) == errc{});
    memory.part();  // nobody took it
    memory.attach();
    auto* const first = memory.to_local(0x1000, 1);
    first[0] = std::byte{1};
    REQUIRE(in_the_file() == std::byte{1});

    memory.part();
    CHECK(first[0] == std::byte{1});
    first[0] = std::byte{2};
    CHECK(in_the_file() == std::byte{1});
    CHECK(memory.to_local(0x1000, 1) == first);  // until the bus takes other rings
    REQUIRE(memory.offered() != nullptr);
    memory.attach();
    auto* const second = memory.to_local(0x1000, 1);
    REQUIRE(second != first);
    CHECK(second[0] == std::byte{1});
    second[0] = std::byte{3};
    CHECK(in_the_file() == std::byte{3});
    CHECK(first[0] == std::byte{2});

    REQUIRE(memory.offer(two_regions(of.file)) == errc{});
    memory.part();
    second[0] = std::byte{4};
    CHECK(in_the_file() == std::byte{3});
    CHECK(memory.offered() != nullptr);
}
