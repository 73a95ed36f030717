#include <rpmsg/bus/endpoint_table.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

using namespace rpmsg;

namespace {

struct node_at : endpoint_node {
    explicit node_at(std::uint32_t where) : endpoint_node{nullptr} { local = address{where}; }
};

}  // namespace

TEST_CASE("an endpoint is found by its address", "[bus][rule9]")
{
    endpoint_table<4, 1024> table;
    CHECK(table.find(address{1024}) == nullptr);

    // Three of them in one bucket.
    node_at a{1024};
    node_at b{1028};
    node_at c{1032};
    node_at d{7};
    const std::array<endpoint_node*, 4> all{&a, &b, &c, &d};
    for (auto* node : all)
        table.insert(*node);

    CHECK(table.find(address{1024}) == &a);
    CHECK(table.find(address{1028}) == &b);
    CHECK(table.find(address{1032}) == &c);
    CHECK(table.find(address{7}) == &d);
    CHECK(table.find(address{1036}) == nullptr);
    CHECK(table.find(any_address) == nullptr);

    SECTION("until it is taken out, whichever place in its bucket it has")
    {
        auto* const out = all[GENERATE(0U, 1U, 2U, 3U)];
        table.remove(*out);
        for (auto* node : all)
            CHECK(table.find(node->local) == (node == out ? nullptr : node));
        table.insert(*out);
        CHECK(table.find(out->local) == out);
    }
}

TEST_CASE("any number of endpoints has room in any number of slots", "[bus]")
{
    endpoint_table<1, 1024> table;
    std::vector<std::unique_ptr<node_at>> nodes;
    for (std::uint32_t i = 0; i != 100; ++i) {
        nodes.push_back(std::make_unique<node_at>(i * 1000));
        table.insert(*nodes.back());
    }
    for (const auto& node : nodes)
        CHECK(table.find(node->local) == node.get());
}

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, RPMSG_RESERVED_ADDRESSES
TEST_CASE("dynamic addresses count up from the dialect's first", "[bus]")
{
    endpoint_table<4, 1024> table;
    node_at taken{1025};
    table.insert(taken);
    CHECK(table.choose() == address{1024});
    CHECK(table.choose() == address{1026});
    CHECK(table.choose() == address{1027});
}

TEST_CASE("an address that was given back is not chosen again at once", "[bus][openamp-2.4]")
{
    endpoint_table<4, 1024> table;
    std::set<std::uint32_t> seen;
    for (int i = 0; i != 1000; ++i) {
        node_at node{table.choose().value()};
        CHECK(seen.insert(node.local.value()).second);
        table.insert(node);
        table.remove(node);
    }
}

TEST_CASE("the name service's address is never chosen", "[bus]")
{
    endpoint_table<4, 50> table;
    for (const std::uint32_t next : {50U, 51U, 52U, 54U, 55U})
        CHECK(table.choose() == address{next});
}

TEST_CASE("after the last address the first comes again, and any is never chosen", "[bus]")
{
    endpoint_table<4, 0xFFFF'FFFD> table;
    CHECK(table.choose() == address{0xFFFF'FFFD});
    CHECK(table.choose() == address{0xFFFF'FFFE});
    CHECK(table.choose() == address{0xFFFF'FFFD});

    node_at taken{0xFFFF'FFFE};
    table.insert(taken);
    CHECK(table.choose() == address{0xFFFF'FFFD});
}
