#include <rpmsg/policy/lifecycle.hpp>

#include "support/catch.hpp"

#include <type_traits>

using namespace rpmsg::policy;

namespace {

struct throwing {
    static constexpr bool ever_knows = true;
    peer_life peer() { return peer_life::alive; }
};
struct guessing {
    static constexpr bool ever_knows = true;
    bool peer() noexcept { return true; }
};
static_assert(lifecycle<no_lifecycle> && !lifecycle<throwing> && !lifecycle<guessing> && !lifecycle<int>);
static_assert(std::is_empty_v<no_lifecycle> && !no_lifecycle::ever_knows);

constinit no_lifecycle made_before_main;

}  // namespace

TEST_CASE("who knows nothing of its peer says so", "[policy]")
{
    CHECK(made_before_main.peer() == peer_life::unknown);
}
