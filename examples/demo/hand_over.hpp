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
    /// All of them outlive this.
    ///
    /// @param files    What it is handed.
    /// @param watcher  Has an eye on it.
    device_process(const options& chosen, const rpmsg::platform::link_files& files,
                   rpmsg::platform::process_end& watcher)
        : chosen_{chosen},
          files_{files},
          watcher_{watcher}
    {}
    device_process(const device_process&) = delete;
    device_process& operator=(const device_process&) = delete;
    ~device_process();

    /// Gets a device process, for the first time or once more, on the same memory.
    ///
    /// Waits at the socket, if there is one, for a minute.
    ///
    /// @return  When the process was there.
    monotonic::time_point start();

    /// SIGKILL. @pre It is a child.
    void kill();

    /// Has it end, and sees that it did so in peace.
    void finish();

    /// What became of it: "the device process does not answer".
    [[nodiscard]] std::string fate();

    [[nodiscard]] ::pid_t pid() const { return pid_; }

private:
    void spawn();
    void meet();

    const options& chosen_;
    const rpmsg::platform::link_files& files_;
    rpmsg::platform::process_end& watcher_;
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
