#include <rpmsg/bus/endpoint_node.hpp>

#include "support/catch.hpp"

#include <array>
#include <type_traits>
#include <vector>

using namespace rpmsg;

namespace {

struct plain_node : endpoint_node {
    plain_node() : endpoint_node{nullptr} {}
};

std::vector<const endpoint_node*> all_of(const node_list& list)
{
    std::vector<const endpoint_node*> all;
    for (const auto* node = list.first(); node != nullptr; node = node->next_opened)
        all.push_back(node);
    return all;
}

}  // namespace

static_assert(!std::is_copy_constructible_v<endpoint_node> && !std::is_move_constructible_v<endpoint_node>);
static_assert(!std::is_copy_assignable_v<endpoint_node> && !std::is_move_assignable_v<endpoint_node>);
static_assert(sizeof(void*) != 8 || sizeof(endpoint_node) <= 48,
              "what an endpoint costs beside its receiver");

TEST_CASE("a node knows nobody before it is opened", "[bus]")
{
    const plain_node node;
    CHECK(node.local.is_any());
    CHECK(node.peer.is_any());
    CHECK(node.service.empty());
    CHECK_FALSE(node.open);
    CHECK_FALSE(node.announced);
}

TEST_CASE("nodes stand in the order of opening", "[bus]")
{
    std::array<plain_node, 4> nodes;
    node_list list;
    CHECK(list.first() == nullptr);
    for (auto& node : nodes)
        list.append(node);
    CHECK(all_of(list) == std::vector<const endpoint_node*>{&nodes[0], &nodes[1], &nodes[2], &nodes[3]});

    SECTION("whichever is taken out")
    {
        list.remove(nodes[1]);
        CHECK(all_of(list) == std::vector<const endpoint_node*>{&nodes[0], &nodes[2], &nodes[3]});
        list.remove(nodes[0]);
        CHECK(list.first() == &nodes[2]);
        list.remove(nodes[3]);
        CHECK(all_of(list) == std::vector<const endpoint_node*>{&nodes[2]});
        list.remove(nodes[2]);
        CHECK(list.first() == nullptr);
    }
    SECTION("one that comes back stands at the end")
    {
        list.remove(nodes[0]);
        list.append(nodes[0]);
        CHECK(all_of(list) == std::vector<const endpoint_node*>{&nodes[1], &nodes[2], &nodes[3], &nodes[0]});
    }
}
