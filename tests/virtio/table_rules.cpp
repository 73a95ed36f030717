#include <rpmsg/virtio/table_rules.hpp>

#include <rpmsg/result.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <set>
#include <string_view>

using namespace rpmsg::virtio;
using rpmsg::errc;

TEST_CASE("each rule of resource tables has a reason and an errc of its own kind", "[virtio][peers-3.1]")
{
    std::set<std::string_view> reasons;
    constexpr auto last = static_cast<std::uint8_t>(table_rule::driver_untouched);
    for (std::uint8_t i = 0; i <= last; ++i) {
        const auto rule = static_cast<table_rule>(i);
        CHECK_FALSE(reason_of(rule).empty());
        CHECK(reasons.insert(reason_of(rule)).second);
        CHECK((error_of(rule) == errc{}) == (rule == table_rule::none));
    }
    CHECK(reason_of(static_cast<table_rule>(last + 1)).empty());
}
