#pragma once

#include <rpmsg/platform/linux/retried.hpp>

#include <csignal>
#include <utility>

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace platform_test {

/// A second process that does one thing and says whether it went well. It does not outlive the test.
///
/// The body runs in a copy of the test: no assertions in it, no threads before it.
class forked {
public:
    template <typename Body>
    explicit forked(Body body) : pid_{::fork()}
    {
        if (pid_ == 0)
            ::_exit(body() ? 0 : 1);
    }
    forked(const forked&) = delete;
    forked& operator=(const forked&) = delete;
    ~forked()
    {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            static_cast<void>(wait());
        }
    }

    [[nodiscard]] ::pid_t pid() const { return pid_; }
    void kill() const { ::kill(pid_, SIGKILL); }

    /// Waits for its end, and reaps it.
    [[nodiscard]] bool went_well() { return pid_ > 0 && wait() == 0; }

private:
    int wait()
    {
        int status = -1;
        rpmsg::platform::retried([&] { return ::waitpid(pid_, &status, 0); });
        pid_ = -1;
        return status;
    }

    ::pid_t pid_;
};

/// Does nothing until it is killed.
inline bool sleep_for_ever()
{
    for (;;)
        ::pause();
}

}  // namespace platform_test
