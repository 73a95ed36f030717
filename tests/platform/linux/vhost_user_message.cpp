#include <rpmsg/platform/linux/vhost_user_message.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

using namespace rpmsg::platform::vhost_user;
using rpmsg::errc;

namespace {

template <std::size_t N>
constexpr std::array<std::byte, N> zeros{};

}  // namespace

// @spec Linux arch/um/drivers/vhost_user.h, struct vhost_user_header
// @spec Linux arch/um/drivers/vhost_user.h, struct vhost_user_vring_state
// @spec Linux arch/um/drivers/vhost_user.h, struct vhost_user_vring_addr
// @spec Linux arch/um/drivers/vhost_user.h, struct vhost_user_mem_region
TEST_CASE("the structures of the protocol lie where Linux has them", "[platform]")
{
    CHECK(offsetof(header, flags) == 4);
    CHECK(offsetof(header, size) == 8);
    CHECK(sizeof(header) == 12);
    CHECK(offsetof(vring_state, number) == 4);
    CHECK(sizeof(vring_state) == 8);
    CHECK(offsetof(vring_addresses, flags) == 4);
    CHECK(offsetof(vring_addresses, descriptors) == 8);
    CHECK(offsetof(vring_addresses, used) == 16);
    CHECK(offsetof(vring_addresses, avail) == 24);
    CHECK(offsetof(vring_addresses, log) == 32);
    CHECK(offsetof(memory_region, size) == 8);
    CHECK(offsetof(memory_region, user_address) == 16);
    CHECK(offsetof(memory_region, file_offset) == 24);
}

// @spec Linux arch/um/drivers/vhost_user.h, enum vhost_user_request
// @spec Linux arch/um/drivers/vhost_user.h, enum vhost_user_slave_request
TEST_CASE("requests have the numbers and shapes that Linux sends", "[platform]")
{
    struct row {
        std::uint32_t number;
        std::uint32_t bytes;
        std::uint32_t files;
    };
    for (const auto& [number, bytes, files] : std::array<row, 16>{{{1, 0, 0},
                                                                   {2, 8, 0},
                                                                   {3, 0, 0},
                                                                   {5, 72, 1},
                                                                   {8, 8, 0},
                                                                   {9, 40, 0},
                                                                   {10, 8, 0},
                                                                   {11, 8, 0},
                                                                   {12, 8, 1},
                                                                   {13, 8, 1},
                                                                   {15, 0, 0},
                                                                   {16, 8, 0},
                                                                   {18, 8, 0},
                                                                   {21, 0, 1},
                                                                   {35, 8, 0},
                                                                   {4, 0, 0}}}) {
        INFO("request " << number);
        const auto in = parse({number, 9, bytes}, std::span{zeros<72>}.first(bytes), files);
        REQUIRE(in);
        CHECK(static_cast<std::uint32_t>(in->what) == number);
        CHECK(in->wants_answer);
        CHECK(parse({number, 1, bytes}, std::span{zeros<72>}.first(bytes), files + 8).error() ==
              errc::malformed);
        if (bytes != 72) {
            CHECK(parse({number, 1, bytes + 1}, std::span{zeros<72>}.first(bytes + 1), files).error() ==
                  errc::malformed);
        }
    }
    CHECK(backend_vring_call == 4);
    for (const std::uint32_t unknown : {0U, 6U, 7U, 19U, 22U, 24U, 34U, 36U, ~0U})
        CHECK(parse({unknown, 1, 0}, {}, 0).error() == errc::unsupported);
}

TEST_CASE("a header is refused before its body is read", "[platform]")
{
    CHECK(check({1, 1, 0}) == errc{});
    CHECK(check({1, 9, longest_body}) == errc{});
    CHECK(check({1, 1, longest_body + 1}) == errc::malformed);
    CHECK(check({1, 0, 0}) == errc::malformed);  // no version
    CHECK(check({1, 2, 0}) == errc::malformed);
    CHECK(check({1, 3, 0}) == errc::malformed);
    CHECK(check({1, 5, 0}) == errc::malformed);  // an answer
}

TEST_CASE("a table of memory has as many regions as it says, and a file for each", "[platform]")
{
    std::array<std::byte, longest_body> body{};
    const auto says = [&](std::uint32_t count) { std::memcpy(body.data(), &count, sizeof count); };
    const auto read = [&](std::size_t bytes, std::uint32_t files) {
        return memory_table::read({request::set_mem_table, false, std::span{body}.first(bytes), files});
    };
    says(2);
    CHECK(read(72, 2)->count == 2);
    CHECK(read(longest_body, 2)->count == 2);
    CHECK(read(71, 2).error() == errc::malformed);
    CHECK(read(72, 1).error() == errc::malformed);
    CHECK(read(72, 3).error() == errc::malformed);
    says(0);
    CHECK(read(72, 0).error() == errc::malformed);
    says(9);
    CHECK(read(longest_body, 9).error() == errc::malformed);
    says(~0U);
    CHECK(read(longest_body, 8).error() == errc::malformed);
    says(8);
    CHECK(read(longest_body, 8)->count == 8);
}
