#include <rpmsg/bus/lay_out.hpp>

#include <rpmsg/bus/memory_plan.hpp>
#include <rpmsg/policy/dialect.hpp>

#include "support/catch.hpp"

#include <cstdint>

using namespace rpmsg;

namespace {

constexpr memory_plan good{.address = 0x1000'0000, .reserved = 64};
static_assert(fault_of(good) == plan_fault::none);
static_assert(memory_plan{} == memory_plan{} && lay_out(memory_plan{}).has_value());

void check_fault(const memory_plan& plan, plan_fault fault, errc why)
{
    CHECK(fault_of(plan) == fault);
    CHECK(error_of(fault) == why);
    CHECK(lay_out(plan).error() == why);
}

}  // namespace

TEST_CASE("a plan that can be laid out is", "[bus][rule-14]")
{
    const auto at = lay_out(good);
    REQUIRE(at);
    CHECK(at->plan() == good);
    CHECK(at->size() == memory_layout{good}.size());

    SECTION("in exactly the memory that it takes")
    {
        auto tight = good;
        tight.size = at->size();
        CHECK(fault_of(tight) == plan_fault::none);
        tight.size -= 1;
        CHECK(fault_of(tight) == plan_fault::outside);
    }
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, MAX_RPMSG_NUM_BUFS
TEST_CASE("a plan's counts are refused", "[bus][rule-14]")
{
    auto plan = good;
    auto& way = GENERATE(false, true) ? plan.to_driver : plan.to_device;
    SECTION("when they are 0")
    {
        way.count = 0;
        check_fault(plan, plan_fault::bad_count, errc::bad_ring_size);
    }
    SECTION("when they are no power of two")
    {
        way.count = 24;
        check_fault(plan, plan_fault::bad_count, errc::bad_ring_size);
    }
    SECTION("when a ring cannot be so long")
    {
        way.count = 65536;
        check_fault(plan, plan_fault::bad_count, errc::bad_ring_size);
        plan.to_driver.count = plan.to_device.count = 32768;
        plan.driver = driven_by::rpmsg_bus;
        CHECK(fault_of(plan) == plan_fault::none);
    }
    SECTION("when Linux cannot have so many")
    {
        way.count = 512;
        check_fault(plan, plan_fault::too_many_for_linux, errc::bad_ring_size);
        plan.to_driver.count = plan.to_device.count = 256;
        CHECK(fault_of(plan) == plan_fault::none);
    }
    SECTION("when Linux wants both to be the same")
    {
        way.count = 32;
        check_fault(plan, plan_fault::unequal_for_linux, errc::bad_ring_size);
        plan.driver = driven_by::rpmsg_bus;
        CHECK(fault_of(plan) == plan_fault::none);
    }
}

TEST_CASE("a plan's buffer sizes are refused", "[bus][rule-14]")
{
    auto plan = good;
    auto& way = GENERATE(false, true) ? plan.to_driver : plan.to_device;
    SECTION("when there is no room for a header")
    {
        way.buffer_size = 0;
        check_fault(plan, plan_fault::no_room_for_header, errc::unsupported);
    }
    SECTION("when there is room for a header alone")
    {
        way.buffer_size = 16;
        check_fault(plan, plan_fault::no_room_for_header, errc::unsupported);
        way.buffer_size = 17;
        plan.features |= policy::feature::buffer_sizes;
        CHECK(fault_of(plan) == plan_fault::none);
    }
    SECTION("when a header cannot tell of the payload")
    {
        way.buffer_size = 65536;
        check_fault(plan, plan_fault::buffer_too_long, errc::unsupported);
        way.buffer_size = 65535;
        plan.features |= policy::feature::buffer_sizes;
        CHECK(fault_of(plan) == plan_fault::none);
    }
    SECTION("when Linux does not hear of them")
    {
        way.buffer_size = 1024;
        check_fault(plan, plan_fault::size_for_linux, errc::unsupported);
        plan.driver = driven_by::rpmsg_bus;
        CHECK(fault_of(plan) == plan_fault::none);
    }
    SECTION("when buffers share a cache line")
    {
        plan.driver = driven_by::rpmsg_bus;
        plan.cache_line = 64;
        way.buffer_size = 96;
        check_fault(plan, plan_fault::buffers_share_line, errc::misaligned);
        way.buffer_size = 128;
        CHECK(fault_of(plan) == plan_fault::none);
    }
}

TEST_CASE("a plan's alignments are refused", "[bus][rule-14]")
{
    auto plan = good;
    SECTION("of rings, when no power of two")
    {
        plan.ring_align = 24;
        check_fault(plan, plan_fault::bad_alignment, errc::misaligned);
    }
    SECTION("of rings, when less than a word")
    {
        plan.ring_align = 2;
        check_fault(plan, plan_fault::bad_alignment, errc::misaligned);
    }
    SECTION("of rings, when more than that of their start")
    {
        plan.part_align = 2048;
        check_fault(plan, plan_fault::bad_alignment, errc::misaligned);
        plan.ring_align = 2048;
        CHECK(fault_of(plan) == plan_fault::none);
    }
    SECTION("of parts, when no power of two")
    {
        plan.part_align = 5000;
        check_fault(plan, plan_fault::bad_alignment, errc::misaligned);
        plan.part_align = 0;
        check_fault(plan, plan_fault::bad_alignment, errc::misaligned);
    }
    SECTION("to a cache line that is none")
    {
        plan.cache_line = GENERATE(0U, 48U, 8192U);
        check_fault(plan, plan_fault::bad_cache_line, errc::misaligned);
    }
    SECTION("when both sides write to one cache line of a ring")
    {
        plan.ring_align = 16;
        plan.cache_line = 32;
        check_fault(plan, plan_fault::ring_shares_line, errc::misaligned);
        plan.ring_align = 32;
        CHECK(fault_of(plan) == plan_fault::none);
    }
}

TEST_CASE("a plan's places are refused", "[bus][rule-14]")
{
    auto plan = good;
    plan.size = 0x10'0000;
    SECTION("when the memory is misaligned")
    {
        plan.address += 64;
        check_fault(plan, plan_fault::misaligned, errc::misaligned);
    }
    SECTION("when a ring is misaligned")
    {
        plan.to_driver.ring = plan.address + 0x1'0040;
        check_fault(plan, plan_fault::misaligned, errc::misaligned);
    }
    SECTION("when a pool is misaligned")
    {
        plan.to_device.buffers = plan.address + 0x1'0040;
        check_fault(plan, plan_fault::misaligned, errc::misaligned);
    }
    SECTION("when a ring lies before the memory")
    {
        plan.to_driver.ring = plan.address - 0x2000;
        check_fault(plan, plan_fault::outside, errc::out_of_map);
    }
    SECTION("when a pool begins behind the memory")
    {
        plan.to_driver.buffers = plan.address + plan.size;
        check_fault(plan, plan_fault::outside, errc::out_of_map);
    }
    SECTION("when a pool reaches out of the memory")
    {
        plan.to_device.buffers = plan.address + plan.size - 4096;
        check_fault(plan, plan_fault::outside, errc::out_of_map);
    }
    SECTION("when a sum would wrap")
    {
        plan.size = 0;
        plan.to_driver.ring = ~std::uint64_t{0} - 4095;
        check_fault(plan, plan_fault::outside, errc::out_of_map);
    }
    SECTION("when the memory lies where sums would wrap")
    {
        plan.address = std::uint64_t{1} << 63U;
        check_fault(plan, plan_fault::outside, errc::out_of_map);
    }
    SECTION("when a ring lies on what is reserved")
    {
        plan.to_driver.ring = plan.address;
        check_fault(plan, plan_fault::overlap, errc::out_of_map);
    }
    SECTION("when two rings overlap")
    {
        plan.to_driver.ring = plan.to_device.ring = plan.address + 0x1'0000;
        check_fault(plan, plan_fault::overlap, errc::out_of_map);
    }
    SECTION("when a ring and a pool overlap")
    {
        plan.to_driver.buffers = memory_layout{good}.ring(policy::vring_id::to_device).address;
        check_fault(plan, plan_fault::overlap, errc::out_of_map);
    }
    SECTION("when two pools overlap by a page")
    {
        plan.to_driver.buffers = plan.address + 0x1'0000;
        plan.to_device.buffers = plan.address + 0x1'1000;
        check_fault(plan, plan_fault::overlap, errc::out_of_map);
        plan.to_device.buffers = plan.address + 0x1'2000;
        CHECK(fault_of(plan) == plan_fault::none);
    }
    SECTION("when Linux would have two pools")
    {
        plan.to_driver.buffers = plan.address + 0x1'0000;
        plan.to_device.buffers = plan.address + 0x2'0000;
        check_fault(plan, plan_fault::two_pools_for_linux, errc::out_of_map);
        plan.driver = driven_by::rpmsg_bus;
        CHECK(fault_of(plan) == plan_fault::none);
    }
}
