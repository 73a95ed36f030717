#pragma once

#include "waiting.hpp"

#include <rpmsg/platform/linux/file_descriptor.hpp>

#include <string>

#include <sys/types.h>

namespace tool {

/// A socket at a path where processes meet. The path goes when this goes.
class meeting_point {
public:
    /// Listens. A path that a dead process left behind is taken over; one where somebody listens is not.
    explicit meeting_point(std::string path);
    meeting_point(const meeting_point&) = delete;
    meeting_point& operator=(const meeting_point&) = delete;
    ~meeting_point();

    /// Readable when somebody comes.
    [[nodiscard]] int fd() const noexcept { return listener_.get(); }

    /// Whoever came first, or nothing when nobody is there any more.
    rpmsg::platform::file_descriptor take_in();

private:
    std::string path_;
    rpmsg::platform::file_descriptor listener_;
};

/// Connects to whoever listens at the path, or does so before the time has come.
///
/// @return  Nothing, when the user wants to stop.
rpmsg::platform::file_descriptor connect_to(const std::string& path, moment until);

/// The process at the other end of a socket, or -1.
::pid_t process_behind(const rpmsg::platform::file_descriptor& socket);

}  // namespace tool
