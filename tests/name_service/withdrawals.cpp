#include <rpmsg/name_service/withdrawals.hpp>

#include "support/catch.hpp"

#include <string_view>
#include <type_traits>

using namespace rpmsg;

namespace {

constexpr name a{"a"};
constexpr name b{"b"};
constexpr name c{"c"};
constexpr name d{"d"};

}  // namespace

// An image whose endpoints never close keeps no queue.
static_assert(std::is_empty_v<withdrawals<0>>);

TEST_CASE("withdrawals wait in order", "[name_service]")
{
    withdrawals<3> queue;
    CHECK(queue.empty());

    queue.push({a, address{1}});
    queue.push({b, address{2}});
    CHECK_FALSE(queue.full());
    queue.push({c, address{3}});
    CHECK(queue.full());

    CHECK(queue.front().endpoint == address{1});
    queue.pop();
    CHECK(queue.front().endpoint == address{2});
    CHECK(std::string_view{queue.front().service.c_str()} == "b");
    CHECK_FALSE(queue.full());
    queue.push({d, address{4}});
    queue.pop();
    queue.pop();
    CHECK(queue.front().endpoint == address{4});
    queue.pop();
    CHECK(queue.empty());
}

TEST_CASE("a withdrawal that found no buffer waits before all others again", "[name_service]")
{
    withdrawals<3> queue;
    queue.push({a, address{1}});
    queue.push({b, address{2}});
    queue.push({c, address{3}});

    const auto first = queue.front();
    queue.pop();
    queue.unpop(first);
    CHECK(queue.full());
    for (const auto endpoint : {1U, 2U, 3U}) {
        CHECK(queue.front().endpoint == address{endpoint});
        queue.pop();
    }
    CHECK(queue.empty());
}

TEST_CASE("withdrawals of a link that is gone are forgotten", "[name_service]")
{
    withdrawals<2> queue;
    queue.push({a, address{1}});
    queue.clear();
    CHECK(queue.empty());
}

TEST_CASE("a queue of no withdrawals is empty and full", "[name_service]")
{
    withdrawals<0> none;
    CHECK(none.empty());
    CHECK(none.full());
    none.push({a, address{1}});
    CHECK(none.empty());
    CHECK(none.front().endpoint.is_any());
    none.pop();
    none.clear();
}
