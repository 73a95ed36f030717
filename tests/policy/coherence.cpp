#include <rpmsg/policy/coherence.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

using namespace rpmsg::policy;
using rpmsg::wire::le16;

namespace {

/// Line operations that write down which lines they were asked for.
struct recording_lines {
    static inline std::vector<const void*> cleaned;
    static inline std::vector<const void*> invalidated;
    static inline int completions = 0;

    static void clean_line(const void* line) noexcept { cleaned.push_back(line); }
    static void invalidate_line(const void* line) noexcept { invalidated.push_back(line); }
    static void complete() noexcept { ++completions; }

    static void forget()
    {
        cleaned.clear();
        invalidated.clear();
        completions = 0;
    }
};
struct throwing_lines {
    static void clean_line(const void*) {}
    static void invalidate_line(const void*) {}
    static void complete() {}
};

/// Lines shorter than the peer's, and operations that are not in order with stores by themselves.
struct short_lines : recording_lines {
    static constexpr std::size_t line = 16;
    static inline std::size_t operations_before = 0;
    static inline int beginnings = 0;
    static void begin() noexcept
    {
        ++beginnings;
        operations_before = cleaned.size() + invalidated.size();
    }
};

using cached_lines = cached<32, recording_lines, single_core>;

static_assert(coherence<single_core> && coherence<smp> && coherence<rpmsg::policy::system> &&
              coherence<cached_lines>);
static_assert(coherence<cached<64, recording_lines>> && coherence<cached<1, recording_lines, smp>>);
static_assert(!coherence<coherent_memory> && !coherence<int>);
static_assert(cache_operations<recording_lines> && !cache_operations<throwing_lines>);

static_assert(std::is_empty_v<single_core> && std::is_empty_v<smp> && std::is_empty_v<rpmsg::policy::system>);
static_assert(std::is_empty_v<cached_lines>);
static_assert(single_core::line == 1 && smp::line == 1 && rpmsg::policy::system::line == 1);
static_assert(cached_lines::line == 32);

alignas(64) std::array<std::byte, 256> memory;

}  // namespace

TEMPLATE_TEST_CASE("a coherence model loads and stores ring words in wire order", "[policy]", single_core,
                   smp, rpmsg::policy::system, cached_lines)
{
    TestType model;
    le16 word{0x0102};

    CHECK(model.load_acquire(word) == 0x0102);
    CHECK(model.load_relaxed(word) == 0x0102);

    model.store_release(word, 0x1234);
    CHECK(hex_of(word) == "3412");
    model.store_relaxed(word, 0xfffe);
    CHECK(hex_of(word) == "feff");
    model.full_barrier();
    CHECK(model.load_acquire(word) == 0xfffe);

    model.clean(&word, sizeof word);
    model.invalidate(&word, sizeof word);
    CHECK(word == 0xfffe);
}

TEST_CASE("cached memory is cleaned and invalidated in whole lines, and no others", "[policy]")
{
    recording_lines::forget();
    cached_lines model;

    const auto lines = [](std::initializer_list<std::size_t> offsets) {
        std::vector<const void*> all;
        for (const auto offset : offsets)
            all.push_back(memory.data() + offset);
        return all;
    };
    const auto touched = [&](std::size_t offset, std::size_t bytes) {
        recording_lines::forget();
        model.clean(memory.data() + offset, bytes);
        CHECK(recording_lines::invalidated.empty());
        const auto cleaned = recording_lines::cleaned;
        model.invalidate(memory.data() + offset, bytes);
        CHECK(recording_lines::invalidated == cleaned);
        return cleaned;
    };

    SECTION("one line that is all of the range") { CHECK(touched(32, 32) == lines({32})); }
    SECTION("the line around a word in its middle") { CHECK(touched(48, 2) == lines({32})); }
    SECTION("the line of its first byte") { CHECK(touched(64, 1) == lines({64})); }
    SECTION("the line of its last byte") { CHECK(touched(95, 1) == lines({64})); }
    SECTION("both lines of a range that crosses from one to the next")
    {
        CHECK(touched(95, 2) == lines({64, 96}));
    }
    SECTION("not the line behind a range that ends with a line")
    {
        CHECK(touched(65, 63) == lines({64, 96}));
    }
    SECTION("all lines of a long range, rounded outwards") { CHECK(touched(33, 94) == lines({32, 64, 96})); }
    SECTION("none for an empty range")
    {
        CHECK(touched(32, 0).empty());
        CHECK(touched(40, 0).empty());
    }
}

TEST_CASE("where the peer's cache lines are longer, each of our own is cleaned and invalidated", "[policy]")
{
    recording_lines::forget();
    cached<64, short_lines, single_core> model;
    static_assert(model.line == 64);

    model.clean(memory.data() + 24, 24);
    CHECK(recording_lines::cleaned == std::vector<const void*>{memory.data() + 16, memory.data() + 32});
    model.invalidate(memory.data() + 64, 64);
    CHECK(recording_lines::invalidated == std::vector<const void*>{memory.data() + 64, memory.data() + 80,
                                                                   memory.data() + 96, memory.data() + 112});
}

TEST_CASE("operations on cache lines are begun once a range, where they have to be", "[policy]")
{
    recording_lines::forget();
    short_lines::beginnings = 0;
    cached<64, short_lines, single_core> model;

    model.clean(memory.data(), 32);
    CHECK(short_lines::beginnings == 1);
    CHECK(short_lines::operations_before == 0);
    model.invalidate(memory.data(), 16);
    CHECK(short_lines::beginnings == 2);
    CHECK(short_lines::operations_before == 2);
    model.invalidate(memory.data(), 0);
    CHECK(short_lines::beginnings == 2);
}

TEST_CASE("operations on cache lines are waited for once a range", "[policy]")
{
    recording_lines::forget();
    cached_lines model;

    model.clean(memory.data(), 128);
    CHECK(recording_lines::cleaned.size() == 4);
    CHECK(recording_lines::completions == 1);

    model.invalidate(memory.data() + 31, 2);
    CHECK(recording_lines::invalidated.size() == 2);
    CHECK(recording_lines::completions == 2);
}

TEST_CASE("a value is copied out of shared memory at any alignment", "[policy]")
{
    struct pair {
        std::uint32_t first;
        std::uint16_t second[2];
    };
    const pair original{0x11223344, {5, 6}};
    std::memcpy(memory.data() + 1, &original, sizeof original);

    const auto copy = copy_once<pair>(memory.data() + 1);
    memory.fill(std::byte{0xff});

    CHECK(copy.first == 0x11223344);
    CHECK(copy.second[0] == 5);
    CHECK(copy.second[1] == 6);
}

// @spec virtio 1.2, 2.7.13.3.1; Linux Documentation/memory-barriers.txt, VIRTUAL MACHINE GUESTS
TEST_CASE("what was stored before a released index is seen after it was acquired", "[policy][thread]")
{
    constexpr std::uint16_t rounds = 2000;
    le16 published{};
    std::array<std::uint32_t, rounds + 1U> data{};

    std::thread producer{[&] {
        smp model;
        for (std::uint16_t i = 1; i <= rounds; ++i) {
            data[i] = i * 3U;
            model.store_release(published, i);  // pairs with the acquire below
        }
    }};
    smp model;
    std::uint16_t seen = 0;
    bool right = true;
    while (seen != rounds) {
        const auto now = model.load_acquire(published);  // pairs with the release above
        if (now == seen)
            std::this_thread::yield();
        for (; seen != now; ++seen)
            right = right && data[seen + 1U] == (seen + 1U) * 3U;
    }
    producer.join();
    CHECK(right);
}

// @spec virtio 1.2, 2.7.13.4.1; Linux Documentation/memory-barriers.txt, VIRTUAL MACHINE GUESTS
TEST_CASE("of two sides that store and then look over a full barrier, one sees the other", "[policy][thread]")
{
    constexpr int rounds = 3000;
    struct alignas(64) word {
        le16 value{};
    };
    std::array<word, 2> stored;
    std::array<std::uint16_t, 2> looked{};
    std::atomic<int> arrived{0};
    bool missed = false;

    const auto meet = [&](int others) {
        arrived.fetch_add(1);
        while (arrived.load() < others)
            std::this_thread::yield();
    };
    const auto side = [&](std::size_t mine) {
        smp model;
        for (int round = 0; round != rounds; ++round) {
            meet(6 * round + 2);
            model.store_relaxed(stored[mine].value, 1);
            model.full_barrier();
            looked[mine] = model.load_relaxed(stored[1 - mine].value);
            meet(6 * round + 4);
            if (mine == 0)
                missed = missed || (looked[0] == 0 && looked[1] == 0);
            model.store_relaxed(stored[mine].value, 0);
            meet(6 * round + 6);
        }
    };
    std::thread other{[&] { side(1); }};
    side(0);
    other.join();
    CHECK_FALSE(missed);
}
