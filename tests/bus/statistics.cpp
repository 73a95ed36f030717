#include <rpmsg/bus/statistics.hpp>

#include "support/catch.hpp"

using namespace rpmsg;

TEST_CASE("statistics begin at nothing", "[bus]")
{
    constexpr statistics fresh;
    STATIC_REQUIRE(fresh.total() == 0);
    STATIC_REQUIRE(fresh[fault::ring_broken] == 0);
}

TEST_CASE("each fault is counted apart and in the total", "[bus]")
{
    statistics counts;
    std::uint32_t times = 0;
    for (const auto cause :
         {fault::bad_descriptor, fault::bad_buffer, fault::bad_length, fault::unknown_destination,
          fault::bad_announcement, fault::wrong_size, fault::reply_dropped, fault::withdrawal_dropped,
          fault::ring_broken, fault::layout_refused}) {
        counts.count(cause);
        ++times;
        CHECK(counts[cause] == 1);
        CHECK(counts.total() == times);
    }
    counts.count(fault::bad_length);
    CHECK(counts[fault::bad_length] == 2);
    CHECK(counts[fault::bad_buffer] == 1);
}
