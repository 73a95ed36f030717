#include <rpmsg/platform/cortex_m/data_cache.hpp>

#include "platform/fake_cpu.hpp"
#include "platform/trace.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <type_traits>

using namespace rpmsg::platform;
using platform_test::lines;
using platform_test::memory;
using platform_test::trace;
using rpmsg::testing::fake_registers;
using rpmsg::testing::journal;
using rpmsg::testing::recording_registers;

namespace {

using operations = cortex_m::data_cache<recording_registers, platform_test::fake_cpu>;
template <std::size_t Line>
using cached = rpmsg::policy::cached<Line, operations, rpmsg::policy::single_core>;

static_assert(rpmsg::policy::coherence<cached<32>> && std::is_empty_v<cached<32>>);
static_assert(rpmsg::policy::coherence<rpmsg::policy::cached<32, cortex_m::data_cache<>>>);
static_assert(operations::line == 32);

}  // namespace

TEST_CASE("a Cortex-M's lines are cleaned and dropped by stores, between barriers", "[platform]")
{
    const journal log;
    const fake_registers scb;
    cached<32> model;

    SECTION("cleaned")
    {
        model.clean(memory(0x10), 0x20);
        CHECK(trace(log) == lines{"dsb", "write e000ef68 = 1000", "write e000ef68 = 1020", "dsb", "isb"});
    }
    SECTION("dropped")
    {
        model.invalidate(memory(0x20), 0x20);
        CHECK(trace(log) == lines{"dsb", "write e000ef5c = 1020", "dsb", "isb"});
    }
    SECTION("both, by the board itself")
    {
        operations::clean_and_invalidate_line(memory(0x40));
        CHECK(trace(log) == lines{"write e000ef70 = 1040"});
    }
    SECTION("each of them, where the peer's lines are longer")
    {
        cached<64>{}.clean(memory(0x00), 0x40);
        CHECK(trace(log) == lines{"dsb", "write e000ef68 = 1000", "write e000ef68 = 1020", "dsb", "isb"});
    }
    SECTION("not at all for an empty range")
    {
        model.clean(memory(0x10), 0);
        CHECK(log.entries().empty());
    }
}
