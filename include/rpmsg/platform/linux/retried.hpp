#pragma once

#include <cerrno>

namespace rpmsg::platform {

/// Makes a system call again as long as signals interrupt it.
///
/// @param call  Returns -1 and sets errno when it fails.
/// @return  What the call returned; errno is not EINTR.
/// @context Thread. Not for calls with a relative timeout, which would start anew.
template <typename Call>
auto retried(Call call) noexcept
{
    for (;;) {
        const auto answer = call();
        if (answer != -1 || errno != EINTR)
            return answer;
    }
}

}  // namespace rpmsg::platform
