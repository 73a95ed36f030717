#include <rpmsg/platform/interrupt_depth.hpp>

#include <rpmsg/platform/cortex_a/cpu.hpp>
#include <rpmsg/platform/riscv/cpu.hpp>
#include <rpmsg/policy/exclusion.hpp>

#include "fake_cpu.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <type_traits>

using namespace rpmsg::platform;
using rpmsg::policy::interrupt_mask;

namespace {

constinit std::uintptr_t depth = 0;
using cpu = counted<platform_test::fake_cpu, depth>;

static_assert(rpmsg::policy::exclusion<interrupt_mask<cpu>>);
static_assert(rpmsg::policy::exclusion<interrupt_mask<counted<riscv::cpu, depth>>>);
static_assert(rpmsg::policy::exclusion<interrupt_mask<counted<cortex_a::cpu, depth>>>);
static_assert(!std::is_copy_constructible_v<cpu::handler> && !std::is_copy_assignable_v<cpu::handler>);

}  // namespace

TEST_CASE("a handler's context is its own, and afterwards it is what was interrupted again", "[platform]")
{
    interrupt_mask<cpu> exclusion;
    const auto thread = exclusion.context();
    {
        const cpu::handler outer;
        const auto first = exclusion.context();
        CHECK(first != thread);
        {
            const cpu::handler inner;
            CHECK(exclusion.context() != first);
            CHECK(exclusion.context() != thread);
        }
        CHECK(exclusion.context() == first);
    }
    CHECK(exclusion.context() == thread);
    CHECK(depth == 0);
}
