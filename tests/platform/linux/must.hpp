#pragma once

#include <rpmsg/result.hpp>

#include "support/catch.hpp"

#include <utility>

namespace platform_test {

/// The value of what cannot fail here; if it does, the test ends.
template <typename T>
T must(rpmsg::result<T> made)
{
    REQUIRE(made.has_value());
    return *std::move(made);
}

}  // namespace platform_test
