#include <rpmsg/platform/linux/guest_memory.hpp>

#include "sent_files.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace rpmsg::platform;
using rpmsg::errc;

namespace {

/// Files as a socket brings them.
struct brought {
    explicit brought(int file)
    {
        const platform_test::stream_pair socket;
        socket.send(std::array{std::byte{}}, {file, file});
        std::byte letter{};
        ::iovec body{&letter, 1};
        ::msghdr message{};
        message.msg_iov = &body;
        message.msg_iovlen = 1;
        files.expect(message);
        REQUIRE(::recvmsg(socket.second.get(), &message, MSG_CMSG_CLOEXEC) == 1);
        files.take(message);
        REQUIRE(files.count() == 2);
    }
    received_files<2> files;
};

struct file_of_64k {
    file_of_64k() { REQUIRE(::ftruncate(file.get(), 65536) == 0); }
    file_descriptor file{::memfd_create("guest", MFD_CLOEXEC)};
};

std::unique_ptr<guest_regions> two_regions(const file_descriptor& file)
{
    brought came{file.get()};
    auto made = std::make_unique<guest_regions>();
    REQUIRE(made->map({{{{0x1000, 4096, 0xA000, 0}, {0x8000, 8192, 0xF000, 4096}}}, 2}, came.files));
    return made;
}

}  // namespace

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
