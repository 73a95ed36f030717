#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/result.hpp>

#include <cstddef>
#include <span>
#include <string>

#include <sys/types.h>

namespace tool {

/// A shell command with pipes for its standard input and output, which neither end waits for. Ended and reaped when it
/// goes out of scope.
///
/// Not a platform::child_process: that one's streams are ours, and what it has instead is a socket.
class filter {
public:
    /// Starts it. Throws failure when that cannot be done.
    explicit filter(const std::string& command);
    filter(const filter&) = delete;
    filter& operator=(const filter&) = delete;
    ~filter();

    /// Writes as much as the pipe takes.
    ///
    /// @return  How much that was; errc::full: nothing now; errc::closed: it does not read any more.
    rpmsg::result<std::size_t> write(std::span<const std::byte> bytes) noexcept;
    /// Reads what is there.
    ///
    /// @return  How many bytes; errc::empty: none now; errc::closed: it has ended, or closed its output.
    rpmsg::result<std::size_t> read(std::span<std::byte> into) noexcept;

    [[nodiscard]] int input() const noexcept { return input_.get(); }
    [[nodiscard]] int output() const noexcept { return output_.get(); }

private:
    ::pid_t pid_ = -1;
    rpmsg::platform::file_descriptor input_;
    rpmsg::platform::file_descriptor output_;
};

}  // namespace tool
