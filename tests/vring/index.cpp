#include <rpmsg/vring/index.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstdint>
#include <type_traits>

using rpmsg::vring::distance;
using rpmsg::vring::index;
using rpmsg::vring::passes_event;

namespace {

template <typename T>
concept ordered = requires(T a, T b) { a < b; };

static_assert(!ordered<index>, "positions wrap: neither is less than the other");
static_assert(!std::is_convertible_v<std::uint16_t, index> && !std::is_convertible_v<index, std::uint16_t>);
static_assert(sizeof(index) == 2 && index{}.value() == 0);

constexpr index after(std::uint16_t value)
{
    index i{value};
    return ++i;
}
static_assert(after(7) == index{8} && after(0xFFFF) == index{0} && after(0x7FFF) == index{0x8000});

static_assert(index{13}.slot(8) == 5 && index{8}.slot(8) == 0 && index{7}.slot(8) == 7);
static_assert(index{0xFFFF}.slot(1) == 0 && index{0xFFFF}.slot(256) == 255 &&
              index{0xFFFF}.slot(32768) == 32767);

static_assert(distance(index{3}, index{3}) == 0);
static_assert(distance(index{3}, index{5}) == 2);
static_assert(distance(index{0xFFFE}, index{2}) == 4, "over the wrap");
static_assert(distance(index{5}, index{3}) == 65534, "backwards is almost all the way round");
static_assert(distance(index{1}, index{0}) == 65535);

// An event is passed by the entries from `before` up to, and without, `now`.
static_assert(!passes_event(index{4}, index{5}, index{6}), "just behind");
static_assert(passes_event(index{5}, index{5}, index{6}), "this very entry");
static_assert(!passes_event(index{6}, index{5}, index{6}), "the next one");
static_assert(passes_event(index{7}, index{5}, index{9}), "in the middle of a batch");
static_assert(passes_event(index{8}, index{5}, index{9}) && !passes_event(index{9}, index{5}, index{9}));
static_assert(!passes_event(index{5}, index{5}, index{5}), "nothing was published");
static_assert(passes_event(index{0xFFFF}, index{0xFFFF}, index{0}), "over the wrap");
static_assert(passes_event(index{0}, index{0xFFFE}, index{1}) &&
              !passes_event(index{1}, index{0xFFFE}, index{1}));
static_assert(!passes_event(index{0xFFFD}, index{0xFFFE}, index{1}));

}  // namespace

// @spec virtio 1.2, 2.7.6; virtio 1.2, 2.7.8
TEST_CASE("an index counts entries past 2^16 and falls on the ring's entries in turn", "[vring]")
{
    index counted{0xFFF0};
    std::uint32_t wrong = 0;
    for (std::uint32_t i = 0xFFF0; i != 0x1'0010; ++i, ++counted)
        wrong += counted.value() != (i & 0xFFFFU) || counted.slot(8) != i % 8 ? 1U : 0U;
    CHECK(wrong == 0);
    CHECK(counted == index{0x10});
}

// virtio's own words for it: the event lies among the entries that were published.
// @spec virtio 1.2, 2.7.7; virtio 1.2, 2.7.10; Linux include/uapi/linux/virtio_ring.h, vring_need_event()
TEST_CASE("an event index is passed by exactly the entries published since, wherever the count wraps",
          "[vring][event_idx]")
{
    constexpr std::array<std::uint16_t, 6> starts{0, 1, 0x7FFE, 0x8000, 0xFFF8, 0xFFFF};
    std::uint32_t wrong = 0;
    for (const auto before : starts)
        for (std::uint16_t published = 0; published != 18; ++published)
            for (int offset = -20; offset != 21; ++offset) {
                const index event{static_cast<std::uint16_t>(before + offset)};
                const index now{static_cast<std::uint16_t>(before + published)};
                const bool among = offset >= 0 && offset < published;
                wrong += passes_event(event, index{before}, now) != among ? 1U : 0U;
            }
    CHECK(wrong == 0);
}
