#include <rpmsg/platform/linux/shared_memory.hpp>

#include "must.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

using platform_test::must;
using rpmsg::errc;
using rpmsg::platform::file_descriptor;
using rpmsg::platform::shared_memory;

namespace {

file_descriptor memfd(::off_t size, int seals)
{
    file_descriptor file{::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    REQUIRE(file);
    REQUIRE(::ftruncate(file.get(), size) == 0);
    REQUIRE(::fcntl(file.get(), F_ADD_SEALS, seals) == 0);
    return file;
}

file_descriptor copy_of(int fd)
{
    file_descriptor copy{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
    REQUIRE(copy);
    return copy;
}

bool is_mapped(const void* at) { return ::msync(const_cast<void*>(at), 1, MS_ASYNC) == 0; }

}  // namespace

static_assert(!std::is_copy_constructible_v<shared_memory>);
static_assert(std::is_nothrow_move_constructible_v<shared_memory>);

TEST_CASE("new shared memory is zero, of the size that was asked for, and stays so", "[platform]")
{
    const auto memory = shared_memory::create(10'000, "new");
    REQUIRE(memory);
    CHECK(memory->bytes().size() == 10'000);
    CHECK(std::ranges::all_of(memory->bytes(), [](std::byte each) { return each == std::byte{}; }));
    CHECK(reinterpret_cast<std::uintptr_t>(memory->bytes().data()) % 4096 == 0);

    SECTION("since it can neither shrink nor grow nor be unsealed")
    {
        CHECK(::ftruncate(memory->fd(), 4096) == -1);
        CHECK(::ftruncate(memory->fd(), 20'000) == -1);
        CHECK(::fcntl(memory->fd(), F_ADD_SEALS, F_SEAL_WRITE) == -1);
    }
    SECTION("and is closed on exec") { CHECK((::fcntl(memory->fd(), F_GETFD) & FD_CLOEXEC) != 0); }
}

TEST_CASE("what one side writes the other side reads", "[platform]")
{
    const auto ours = shared_memory::create(4096, "both");
    REQUIRE(ours);
    const auto theirs = shared_memory::adopt(copy_of(ours->fd()));
    REQUIRE(theirs);
    CHECK(theirs->bytes().size() == 4096);
    CHECK(theirs->bytes().data() != ours->bytes().data());

    ours->bytes()[17] = std::byte{0x5A};
    CHECK(theirs->bytes()[17] == std::byte{0x5A});
    theirs->bytes()[4095] = std::byte{0xA5};
    CHECK(ours->bytes()[4095] == std::byte{0xA5});
}

TEST_CASE("memory is unmapped by its last owner", "[platform]")
{
    auto first = must(shared_memory::create(4096, "owned"));
    const auto* const at = first.bytes().data();

    SECTION("when that goes out of scope")
    {
        {
            const auto second = std::move(first);
            CHECK(second.bytes().data() == at);
            CHECK(is_mapped(at));
        }
        CHECK_FALSE(is_mapped(at));
    }
    SECTION("when that is given other memory")
    {
        first = shared_memory{};
        CHECK_FALSE(is_mapped(at));
        CHECK(first.bytes().empty());
        CHECK(first.fd() < 0);
    }
}

TEST_CASE("memory that cannot be trusted to stay is not adopted", "[platform]")
{
    SECTION("since it is not sealed at all")
    {
        CHECK(shared_memory::adopt(memfd(4096, 0)).error() == errc::unsupported);
    }
    SECTION("since it is sealed against other things only")
    {
        CHECK(shared_memory::adopt(memfd(4096, F_SEAL_GROW | F_SEAL_SEAL)).error() == errc::unsupported);
    }
    SECTION("since it cannot be sealed")
    {
        CHECK(shared_memory::adopt(file_descriptor{::eventfd(0, EFD_CLOEXEC)}).error() == errc::unsupported);
        CHECK(shared_memory::adopt(file_descriptor{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)}).error() ==
              errc::unsupported);
    }
    SECTION("since it is empty")
    {
        CHECK(shared_memory::adopt(memfd(0, F_SEAL_SHRINK)).error() == errc::system);
    }
    SECTION("since it cannot be written")
    {
        CHECK(shared_memory::adopt(memfd(4096, F_SEAL_SHRINK | F_SEAL_WRITE)).error() == errc::system);
        CHECK(errno == EPERM);
    }
    SECTION("since there is none")
    {
        CHECK(shared_memory::adopt(file_descriptor{}).error() == errc::system);
        CHECK(errno == EBADF);
    }
}

TEST_CASE("a seal against shrinking is all that the other side must have set", "[platform]")
{
    const auto memory = shared_memory::adopt(memfd(100, F_SEAL_SHRINK));
    REQUIRE(memory);
    CHECK(memory->bytes().size() == 100);
}

TEST_CASE("memory of an impossible size is not made", "[platform]")
{
    CHECK(shared_memory::create(0, "nothing").error() == errc::system);
    CHECK(shared_memory::create(SIZE_MAX, "everything").error() == errc::system);
    CHECK(errno == EINVAL);
}
