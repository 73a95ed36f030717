#include <rpmsg/platform/mmio.hpp>

#include "support/catch.hpp"
#include "trace.hpp"

#include <array>
#include <cstdint>

using namespace rpmsg::platform;
using rpmsg::testing::fake_registers;
using rpmsg::testing::journal;
using rpmsg::testing::recording_registers;

namespace {

/// Registers of another width.
struct of_16_bits : recording_registers {
    static std::uint16_t read(std::uintptr_t) noexcept { return 0; }
};
struct throwing : recording_registers {
    static void write(std::uintptr_t, std::uint32_t) {}
};
struct without_order {
    static std::uint32_t read(std::uintptr_t) noexcept { return 0; }
    static void write(std::uintptr_t, std::uint32_t) noexcept {}
};
static_assert(registers<mmio> && registers<recording_registers>);
static_assert(!registers<of_16_bits> && !registers<throwing> && !registers<without_order> && !registers<int>);

}  // namespace

TEST_CASE("a register is read and written where it is, and nothing beside it", "[platform]")
{
    std::array<std::uint32_t, 3> block{0xAAAA'AAAA, 0x1234'5678, 0xBBBB'BBBB};
    const auto address = reinterpret_cast<std::uintptr_t>(&block[1]);

    CHECK(mmio::read(address) == 0x1234'5678);
    mmio::memory_before_write();
    mmio::write(address, 0xFEDC'BA98);
    mmio::access_before_memory();
    CHECK(block == std::array<std::uint32_t, 3>{0xAAAA'AAAA, 0xFEDC'BA98, 0xBBBB'BBBB});
}

TEST_CASE("a write that memory waits for is read back before", "[platform]")
{
    const journal log;
    const fake_registers chip;
    write_before_memory<recording_registers>(0x40, 5, 0x48);
    CHECK(platform_test::trace(log) == platform_test::lines{"write 40 = 5", "read 48 = 0", "before_memory"});
}
