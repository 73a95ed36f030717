#pragma once

#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/policy/wait.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <thread>

inline void let_the_other_run() noexcept { std::this_thread::yield(); }

/// Two threads that play two processors: each has its end of a loopback to itself, and looks rather than be woken.
struct core : rpmsg::testing::loopback_board {
    using doorbell = rpmsg::policy::no_doorbell;
    using wait = rpmsg::policy::yielding<let_the_other_run>;
    using clock = rpmsg::platform::monotonic_clock;
};
