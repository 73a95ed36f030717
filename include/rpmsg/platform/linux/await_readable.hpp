#pragma once

#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/time_left.hpp>
#include <rpmsg/policy/clock.hpp>
#include <rpmsg/result.hpp>

#include <cerrno>

#include <poll.h>

namespace rpmsg::platform {

/// Waits until a file can be read, or its other end has hung up.
///
/// @param until  Past: asks once and does not wait.
/// @return  errc::timed_out, or errc::system when the file cannot be waited for.
/// @context Any thread. Signals do not end or prolong it.
inline result<void> await_readable(int fd, policy::deadline<monotonic_clock> until) noexcept
{
    if (fd < 0) {  // poll() would pass over it in silence
        errno = EBADF;
        return errc::system;
    }
    for (;;) {
        const auto left = time_left(until);
        const auto timeout = to_timespec(left);
        ::pollfd wanted{fd, POLLIN, 0};
        const int found = ::ppoll(&wanted, 1, &timeout, nullptr);
        if (found > 0 && (wanted.revents & POLLNVAL) != 0) {
            errno = EBADF;
            return errc::system;
        }
        if (found > 0)
            return {};
        if (found < 0 && errno != EINTR)
            return errc::system;
        if (left.count() == 0)
            return errc::timed_out;
    }
}

}  // namespace rpmsg::platform
