#include <rpmsg/platform/sse200_mhu.hpp>

#include "chip_link.hpp"
#include "support/catch.hpp"
#include "trace.hpp"

#include <cstdint>
#include <type_traits>

using namespace rpmsg::platform;
using platform_test::lines;
using platform_test::trace;
using rpmsg::policy::vring_id;
using rpmsg::testing::fake_registers;
using rpmsg::testing::journal;
using rpmsg::testing::recording_registers;

namespace {

constexpr std::uintptr_t base = 0x5000'3000;
template <unsigned Own, unsigned Flag = 0>
using by_flag = sse200_mhu<base, Own, Flag, recording_registers>;
template <unsigned Own, unsigned Flag = 0>
using by_ring = sse200_mhu_by_ring<base, Own, Flag, recording_registers>;

static_assert(std::is_empty_v<by_flag<0>> && std::is_empty_v<by_ring<0>>);
static_assert(!by_flag<0>::carries_queue_id && !by_flag<0>::can_be_lost && !by_flag<0>::may_block);
static_assert(by_flag<0>::isr_safe && !by_flag<0>::always_ring && !by_flag<0>::never_ring);
static_assert(by_flag<0>::is_level && by_flag<0>::needs_ack && by_flag<0>::coalesces);
static_assert(!by_flag<0>::per_queue_channel && by_flag<0>::word_bits == 0);
static_assert(by_ring<0>::carries_queue_id && by_ring<0>::per_queue_channel && by_ring<0>::word_bits == 0);
static_assert(by_ring<0>::is_level && by_ring<0>::needs_ack && by_ring<0>::coalesces);

/// An MHU as its manual has it, and how often its interrupt rose.
struct mhu : fake_registers {
    unsigned rose[2] = {};

    mhu()
    {
        for (unsigned cpu = 0; cpu != 2; ++cpu) {
            const auto at = base + cpu * 0x10U;
            when_written(at + 4, [this, at, cpu](std::uint32_t bits) {
                rose[cpu] += (*this)[at] == 0 ? 1U : 0U;
                (*this)[at] |= bits & 0xFU;
            });
            when_written(at + 8, [this, at](std::uint32_t bits) { (*this)[at] &= ~bits; });
        }
    }
};

}  // namespace

TEST_CASE("an MHU rings by one store to the peer's SET, behind all stores to memory", "[platform]")
{
    const journal log;
    const fake_registers chip;

    SECTION("from CPU 0")
    {
        by_flag<0>{}.ring(vring_id::to_device);
        CHECK(trace(log) == lines{"before_write", "write 50003014 = 1"});
    }
    SECTION("from CPU 1")
    {
        by_flag<1>{}.ring(vring_id::to_driver);
        CHECK(trace(log) == lines{"before_write", "write 50003004 = 1"});
    }
    SECTION("by the flag that is the link's, whichever ring it is")
    {
        by_flag<0, 3>{}.ring(vring_id::to_driver);
        by_flag<0, 3>{}.ring(vring_id::to_device);
        CHECK(trace(log) ==
              lines{"before_write", "write 50003014 = 8", "before_write", "write 50003014 = 8"});
    }
    SECTION("by a flag for each ring")
    {
        by_ring<1>{}.ring(vring_id::to_driver, 77);
        by_ring<1>{}.ring(vring_id::to_device, 78);
        by_ring<1, 2>{}.ring(vring_id::to_device, 78);
        CHECK(trace(log) == lines{"before_write", "write 50003004 = 1", "before_write", "write 50003004 = 2",
                                  "before_write", "write 50003004 = 8"});
    }
}

TEST_CASE("an MHU's handler sees and clears its own flags, and then looks at memory", "[platform]")
{
    const journal log;
    mhu chip;
    chip[base + 0x00] = 0xF;
    chip[base + 0x10] = 0xF;

    SECTION("of CPU 0")
    {
        CHECK(by_flag<0, 1>::pending() == 2);
        by_flag<0, 1>::acknowledge();
        CHECK(trace(log) ==
              lines{"read 50003000 = f", "write 50003008 = 2", "read 50003000 = d", "before_memory"});
        CHECK(by_flag<0, 1>::pending() == 0);
        CHECK(chip[base + 0x10] == 0xF);
    }
    SECTION("of CPU 1, one for each ring")
    {
        CHECK(by_ring<1, 2>::pending() == 0xC);
        by_ring<1, 2>::acknowledge();
        CHECK(trace(log) ==
              lines{"read 50003010 = f", "write 50003018 = c", "read 50003010 = 3", "before_memory"});
        CHECK(by_ring<1, 2>::pending() == 0);
        CHECK(chip[base + 0x00] == 0xF);
    }
}

TEST_CASE("a link over an MHU is woken at both ends", "[platform]")
{
    mhu chip;

    SECTION("by one flag")
    {
        CHECK(platform_test::echoes_over<by_flag<0>, by_flag<1>>());
        CHECK(chip[base + 0x00] == 1);
        CHECK(chip[base + 0x10] == 1);
    }
    SECTION("by one for each ring")
    {
        CHECK(platform_test::echoes_over<by_ring<0>, by_ring<1>>());
        CHECK((chip[base + 0x00] & 1U) != 0);  // the answer is in vring 0
        CHECK((chip[base + 0x10] & 2U) != 0);  // the message was in vring 1
    }
    CHECK(chip.rose[0] == 1);
    CHECK(chip.rose[1] == 1);
}
