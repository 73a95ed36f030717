#pragma once

#include "counting.hpp"

#include <rpmsg/platform/linux/process_board.hpp>

namespace demo {

using eventfd_board = counted<rpmsg::platform::eventfd_board>;
using futex_board = counted<rpmsg::platform::futex_board>;

using deadline = rpmsg::policy::deadline<rpmsg::platform::monotonic_clock>;

}  // namespace demo
