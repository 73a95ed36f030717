#include <rpmsg/platform/linux/guest_regions.hpp>

#include "guest_files.hpp"
#include "support/catch.hpp"

#include <cstddef>

#include <unistd.h>

using namespace rpmsg::platform;
using platform_test::brought;
using platform_test::file_of_64k;
using platform_test::two_regions;
using rpmsg::errc;

TEST_CASE("an address of a guest is one of ours only where all of it is in one region", "[platform]")
{
    const file_of_64k of;
    const auto memory = two_regions(of.file);

    CHECK(memory->to_local(0x1000, 4096) != nullptr);
    CHECK(memory->to_local(0x1000, 4097) == nullptr);
    CHECK(memory->to_local(0x0FFF, 1) == nullptr);
    CHECK(memory->to_local(0x1FFF, 1) != nullptr);
    CHECK(memory->to_local(0x2000, 0) == nullptr);
    CHECK(memory->to_local(0x8000, 8192) != nullptr);
    CHECK(memory->to_local(0x9FFF, 2) == nullptr);
    CHECK(memory->to_local(~0ULL, 1) == nullptr);
    CHECK(memory->to_local(0x8000, ~std::size_t{0}) == nullptr);
    CHECK(memory->to_local(0, 0) == nullptr);

    // Both map the same file: the second from its second page on.
    CHECK(memory->to_guest(memory->to_local(0x8123, 1)) == 0x8123);
    const std::byte elsewhere{};
    CHECK(memory->to_guest(&elsewhere) == 0);
    memory->to_local(0x8000, 1)[0] = std::byte{7};
    std::byte seen{};
    REQUIRE(::pread(of.file.get(), &seen, 1, 4096) == 1);
    CHECK(seen == std::byte{7});

    CHECK(*memory->guest_address_of(0xA010) == 0x1010);
    CHECK(*memory->guest_address_of(0x10FFF) == 0x9FFF);
    CHECK(memory->guest_address_of(0x11000).error() == errc::out_of_map);
    CHECK(memory->guest_address_of(0).error() == errc::out_of_map);
}

TEST_CASE("a region may begin anywhere in its file", "[platform]")
{
    const file_of_64k of;
    brought came{of.file.get()};
    guest_regions memory;
    REQUIRE(memory.map({{{{0x123, 1000, 0x123, 0x777}}}, 1}, came.files));
    memory.to_local(0x123, 1)[0] = std::byte{9};
    std::byte seen{};
    REQUIRE(::pread(of.file.get(), &seen, 1, 0x777) == 1);
    CHECK(seen == std::byte{9});
}
