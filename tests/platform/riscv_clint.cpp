#include <rpmsg/platform/riscv_clint.hpp>

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

template <unsigned Own, unsigned Peer>
using clint = riscv_clint<0x0200'0000, Own, Peer, recording_registers>;

static_assert(std::is_empty_v<clint<0, 1>>);
static_assert(!clint<0, 1>::carries_queue_id && !clint<0, 1>::can_be_lost && !clint<0, 1>::may_block);
static_assert(clint<0, 1>::isr_safe && !clint<0, 1>::always_ring && !clint<0, 1>::never_ring);
static_assert(clint<0, 1>::is_level && clint<0, 1>::needs_ack && clint<0, 1>::coalesces);
static_assert(!clint<0, 1>::per_queue_channel && clint<0, 1>::word_bits == 0);

}  // namespace

TEST_CASE("a CLINT rings by one store of 1 to the peer's word, behind all stores to memory", "[platform]")
{
    const journal log;
    const fake_registers chip;
    clint<0, 1>{}.ring(vring_id::to_device);
    clint<1, 0>{}.ring(vring_id::to_driver);
    clint<0, 4>{}.ring(vring_id::to_driver);
    CHECK(trace(log) == lines{"before_write", "write 2000004 = 1", "before_write", "write 2000000 = 1",
                              "before_write", "write 2000010 = 1"});
}

TEST_CASE("a CLINT's handler writes 0 to its own word, and then looks at memory", "[platform]")
{
    const journal log;
    fake_registers chip;
    chip[0x0200'0000] = 1;
    chip[0x0200'0004] = 1;

    CHECK(clint<1, 0>::pending());
    clint<1, 0>::acknowledge();
    CHECK(trace(log) == lines{"read 2000004 = 1", "write 2000004 = 0", "read 2000004 = 0", "before_memory"});
    CHECK_FALSE(clint<1, 0>::pending());
    CHECK(clint<0, 1>::pending());
}

TEST_CASE("of a CLINT's word bit 0 counts", "[platform]")
{
    fake_registers chip;
    chip[0x0200'0004] = 0xFFFF'FFFE;
    CHECK_FALSE(clint<1, 0>::pending());
}

TEST_CASE("a link over a CLINT is woken at both ends", "[platform]")
{
    const fake_registers chip;
    CHECK(platform_test::echoes_over<clint<0, 1>, clint<1, 0>>());
    CHECK(clint<0, 1>::pending());
    CHECK(clint<1, 0>::pending());
}
