#include <rpmsg/platform/linux/char_buffers.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <memory>
#include <set>

using namespace rpmsg::platform;
using rpmsg::errc;

TEST_CASE("buffers are as many as a ring has, and each is another", "[platform]")
{
    const auto buffers = std::make_unique<char_buffers>();
    std::set<std::uint16_t> ids;
    std::set<std::byte*> places;
    for (unsigned i = 0; i != char_buffers::count; ++i) {
        const auto id = buffers->take();
        REQUIRE(id);
        ids.insert(*id);
        places.insert(buffers->at(*id));
        CHECK(reinterpret_cast<std::uintptr_t>(buffers->at(*id)) % alignof(std::max_align_t) == 0);
    }
    CHECK(ids.size() == char_buffers::count);
    CHECK(places.size() == char_buffers::count);
    CHECK(buffers->taken() == char_buffers::count);
    CHECK(buffers->take().error() == errc::full);

    buffers->give(7);
    CHECK(buffers->taken() == char_buffers::count - 1);
    CHECK(buffers->take().value_or(0) == 7);
    CHECK(buffers->take().error() == errc::full);
}

TEST_CASE("the buffer given back last is taken next, so few are ever made", "[platform]")
{
    const auto buffers = std::make_unique<char_buffers>();
    for (int i = 0; i != 1000; ++i) {
        const auto id = buffers->take();
        REQUIRE(id);
        CHECK(*id == 0);
        buffers->at(*id)[sizeof(rpmsg::wire::header) + char_buffers::longest - 1] =
            std::byte{1};  // its last byte
        buffers->give(*id);
    }
}
