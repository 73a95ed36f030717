#include <rpmsg/platform/cortex_a/data_cache.hpp>

#include "platform/fake_cpu.hpp"
#include "platform/trace.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <type_traits>

using namespace rpmsg::platform;
using platform_test::lines;
using platform_test::memory;
using platform_test::trace;
using rpmsg::testing::journal;

namespace {

using operations = cortex_a::data_cache<64, platform_test::fake_cpu>;
template <std::size_t Line>
using cached = rpmsg::policy::cached<Line, operations, rpmsg::policy::single_core>;

static_assert(rpmsg::policy::coherence<cached<64>> && std::is_empty_v<cached<64>>);
static_assert(rpmsg::policy::coherence<rpmsg::policy::cached<64, cortex_a::data_cache<>>>);
static_assert(operations::line == 64 && cortex_a::data_cache<>::line == 64);

}  // namespace

TEST_CASE("the lines of a AArch64 processor are cleaned and dropped one by one, and then waited for",
          "[platform]")
{
    const journal log;
    cached<64> model;

    SECTION("cleaned")
    {
        model.clean(memory(0x10), 0x40);
        CHECK(trace(log) == lines{"clean 1000", "clean 1040", "dsb"});
    }
    SECTION("dropped")
    {
        model.invalidate(memory(0x40), 0x40);
        CHECK(trace(log) == lines{"invalidate 1040", "dsb"});
    }
    SECTION("both, by the board itself")
    {
        operations::clean_and_invalidate_line(memory(0x40));
        CHECK(trace(log) == lines{"clean and invalidate 1040"});
    }
    SECTION("each of them, where the peer's lines are longer")
    {
        cached<128>{}.clean(memory(0x00), 128);
        CHECK(trace(log) == lines{"clean 1000", "clean 1040", "dsb"});
    }
    SECTION("not at all for an empty range")
    {
        model.clean(memory(0x10), 0);
        CHECK(log.entries().empty());
    }
}
