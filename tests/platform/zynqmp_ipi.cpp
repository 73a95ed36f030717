#include <rpmsg/platform/zynqmp_ipi.hpp>

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

using on_apu = zynqmp_ipi<0xFF30'0000, zynqmp_agent::rpu_0, zynqmp_agent::rpu_0, recording_registers>;
using on_rpu = zynqmp_ipi<0xFF31'0000, zynqmp_agent::apu, zynqmp_agent::apu, recording_registers>;
/// QEMU's single block, where the bit in ISR is that of who is rung.
using in_qemu = zynqmp_ipi<0xFF30'0000, zynqmp_agent::rpu_1, zynqmp_agent::apu, recording_registers>;

static_assert(std::is_empty_v<on_apu>);
static_assert(!on_apu::carries_queue_id && !on_apu::can_be_lost && !on_apu::may_block && on_apu::isr_safe);
static_assert(!on_apu::always_ring && !on_apu::never_ring);
static_assert(on_apu::is_level && on_apu::needs_ack && on_apu::coalesces);
static_assert(!on_apu::per_queue_channel && on_apu::word_bits == 0);

/// Both blocks: TRIG of one sets a bit in the other one's ISR, and 1 written to an ISR clears it.
struct chip : fake_registers {
    chip()
    {
        when_written(0xFF30'0000, [this](std::uint32_t agents) { reach(agents, zynqmp_agent::apu); });
        when_written(0xFF31'0000, [this](std::uint32_t agents) { reach(agents, zynqmp_agent::rpu_0); });
        for (const std::uintptr_t block : {0xFF30'0000U, 0xFF31'0000U})
            when_written(block + 0x10, [this, block](std::uint32_t bits) { (*this)[block + 0x10] &= ~bits; });
    }

private:
    void reach(std::uint32_t agents, std::uint32_t from)
    {
        if ((agents & zynqmp_agent::apu) != 0)
            (*this)[0xFF30'0010] |= from;
        if ((agents & zynqmp_agent::rpu_0) != 0)
            (*this)[0xFF31'0010] |= from;
    }
};

}  // namespace

TEST_CASE("an IPI rings by one store of the peer's bit to TRIG, behind all stores to memory", "[platform]")
{
    const journal log;
    const chip registers;

    on_apu{}.ring(vring_id::to_device);
    on_rpu{}.ring(vring_id::to_driver);
    in_qemu{}.ring(vring_id::to_driver);
    CHECK(trace(log) == lines{"before_write", "write ff300000 = 100", "before_write", "write ff310000 = 1",
                              "before_write", "write ff300000 = 200"});
}

TEST_CASE("an IPI's handler clears its bit alone, by writing it, and then looks at memory", "[platform]")
{
    journal log;
    chip registers;
    registers[0xFF30'0010] = 0x0300;
    registers[0xFF31'0010] = 0x0001;

    CHECK(on_apu::pending());
    on_apu::acknowledge();
    CHECK(trace(log) ==
          lines{"read ff300010 = 300", "write ff300010 = 100", "read ff300010 = 200", "before_memory"});
    CHECK_FALSE(on_apu::pending());
    CHECK_FALSE(in_qemu::pending());
    CHECK(on_rpu::pending());

    SECTION("which is another one than TRIG takes, in QEMU")
    {
        registers[0xFF30'0010] = 0x0101;
        log.clear();
        CHECK(in_qemu::pending());
        in_qemu::acknowledge();
        CHECK(trace(log) ==
              lines{"read ff300010 = 101", "write ff300010 = 1", "read ff300010 = 100", "before_memory"});
    }
}

TEST_CASE("an IPI is let in and kept out by the bit that its handler clears", "[platform]")
{
    const journal log;
    const fake_registers registers;
    on_apu::enable();
    on_apu::disable();
    in_qemu::enable();
    in_qemu::disable();
    CHECK(trace(log) ==
          lines{"write ff300018 = 100", "write ff30001c = 100", "write ff300018 = 1", "write ff30001c = 1"});
}

TEST_CASE("a link over IPIs is woken at both ends", "[platform]")
{
    const chip registers;
    CHECK(platform_test::echoes_over<on_apu, on_rpu>());
    CHECK(on_apu::pending());
    CHECK(on_rpu::pending());
}
