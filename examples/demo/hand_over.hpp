#pragma once

#include "measure.hpp"
#include "options.hpp"

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/link_files.hpp>
#include <rpmsg/platform/linux/process_board.hpp>
#include <rpmsg/platform/linux/spawn.hpp>

#include <string>

#include <sys/types.h>

namespace demo {

/// The other process, as the driver sees it: its child, or whoever came to its socket.
class device_process {
public:
    /// @param chosen  Outlives this.
    explicit device_process(const options& chosen) : chosen_{chosen} {}
    device_process(const device_process&) = delete;
    device_process& operator=(const device_process&) = delete;
    ~device_process();

    /// Gets a device process, for the first time or once more, hands it the files and has it watched.
    ///
    /// Waits at the socket, if there is one, for a minute.
    ///
    /// @return  When the process was there.
    monotonic::time_point start(const rpmsg::platform::link_files& files,
                                rpmsg::platform::process_end& watcher);

    /// SIGKILL. @pre It is a child.
    void kill();

    /// Has it end, and sees that it did so in peace.
    void finish();

    /// What became of it, for a sentence that begins with "the device process".
    [[nodiscard]] std::string fate();

    [[nodiscard]] ::pid_t pid() const { return pid_; }

private:
    void spawn();
    void meet();

    const options& chosen_;
    rpmsg::platform::child_process child_;
    rpmsg::platform::file_descriptor visitor_;
    bool bound_ = false;  ///< The socket's path is ours to remove.
    ::pid_t pid_ = -1;
};

/// What the device gets to begin with.
struct taken_link {
    rpmsg::platform::link_files files;
    rpmsg::platform::file_descriptor driver;  ///< Hangs up when the driver process ends.
    doorbell bell;
};

/// Takes the link from the parent, or from the driver that listens, or is soon going to, at the socket.
taken_link take_link(const options& chosen);

}  // namespace demo
