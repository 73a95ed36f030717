// Where the parts of a vring and of a link lie: computed by the compiler and by the processor.
#include "target/check.hpp"

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

using namespace rpmsg;

void target::test_layout() noexcept
{
    // 16 descriptors: 256 bytes, avail 4 + 32 + 2, used 4 + 128 + 2 at the next multiple of 4096.
    volatile std::uint32_t sixteen = 16;  // not known to the compiler
    const auto at = vring::layout_of(sixteen, 4096);
    CHECK(at.avail == 256 && at.used_event == 292 && at.used == 4096 && at.avail_event == 4228 &&
          at.size == 4230);
    const auto lite = vring::layout_of(sixteen, 16, policy::ring_alignment::rpmsg_lite);
    CHECK(lite.used_event == 292 && lite.used == 304 && lite.size == 436);

    constexpr memory_plan plan{.address = 0x3ED0'0000, .ring_align = 16, .part_align = 64, .reserved = 88};
    constexpr auto compiled = lay_out<plan>();
    auto planned = plan;
    planned.to_device.count = sixteen;
    const auto computed = lay_out(planned);
    CHECK(computed.has_value());
    CHECK(computed && computed->size() == compiled.size());
    for (const auto which : {policy::vring_id::to_driver, policy::vring_id::to_device}) {
        CHECK(computed && computed->ring(which).address == compiled.ring(which).address);
        CHECK(computed && computed->buffers(which).address == compiled.buffers(which).address);
    }
    CHECK(compiled.ring(policy::vring_id::to_driver).address == 0x3ED0'0080);

    planned.to_driver.count = sixteen - 1;
    CHECK(fault_of(planned) == plan_fault::bad_count && lay_out(planned).error() == errc::bad_ring_size);
    planned = plan;
    planned.size = sixteen;
    CHECK(fault_of(planned) == plan_fault::outside && lay_out(planned).error() == errc::out_of_map);

    // The table that is written is the one that the compiler makes, and passes the loader's checks.
    alignas(4) std::array<std::byte, sizeof(wire::rpmsg_table)> bytes{};
    CHECK(compiled.write_table(bytes).has_value());
    CHECK(compiled.check(bytes));
    CHECK(compiled.write_table(std::span{bytes}.first(80)).error() == errc::out_of_memory);
    bytes[4] = std::byte{0};  // no entry
    CHECK(!compiled.check(bytes));
}
