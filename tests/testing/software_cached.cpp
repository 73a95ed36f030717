#include <rpmsg/testing/software_cached.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <span>

using namespace rpmsg::testing;
using rpmsg::virtio::role;
using rpmsg::wire::le16;

static_assert(software_cached<64>::line == 64);
static_assert(rpmsg::policy::coherence<software_cached<1>>);

TEST_CASE("ring words are loaded and stored in the side's own view", "[testing]")
{
    alignas(16) std::array<std::byte, 64> memory{};
    software_cache cache{memory, 16, {}, 1};
    software_cached<16> driver{cache, role::driver};
    auto& word = reinterpret_cast<le16&>(memory[8]);
    auto& mine = cache.view_of(role::driver, word);
    auto& theirs = cache.view_of(role::device, word);
    driver.invalidate(&mine, sizeof mine);
    CHECK(driver.load_relaxed(mine) == 0);
    driver.store_release(mine, 0x1234);
    CHECK(driver.load_acquire(mine) == 0x1234);
    driver.store_relaxed(mine, 0x4321);
    CHECK(driver.load_relaxed(mine) == 0x4321);
    CHECK(word == 0);
    driver.clean(&mine, sizeof mine);
    CHECK(word == 0x4321);
    software_cached<16> device{cache, role::device};
    CHECK(device.load_acquire(theirs) != 0x4321);
    device.invalidate(&theirs, sizeof theirs);
    CHECK(device.load_acquire(theirs) == 0x4321);
}

TEST_CASE("without a cache memory is as it is", "[testing]")
{
    software_cached<64> plain;
    le16 word{};
    plain.store_release(word, 5);
    plain.clean(&word, sizeof word);
    plain.invalidate(&word, sizeof word);
    plain.full_barrier();
    CHECK(plain.load_acquire(word) == 5);
}
