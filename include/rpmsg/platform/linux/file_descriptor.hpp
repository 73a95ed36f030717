#pragma once

#include <rpmsg/result.hpp>

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace rpmsg::platform {

/// Owns an open file and closes it.
///
/// @context One thread at a time; get() may be used by several while nobody moves or resets it.
class file_descriptor {
public:
    /// Owns nothing.
    constexpr file_descriptor() noexcept = default;
    /// Takes over an open file; a negative number is nothing.
    explicit constexpr file_descriptor(int number) noexcept : number_{number} {}

    constexpr file_descriptor(file_descriptor&& other) noexcept : number_{other.release()} {}
    file_descriptor& operator=(file_descriptor&& other) noexcept
    {
        close_number(std::exchange(number_, other.release()));
        return *this;
    }
    ~file_descriptor() { close_number(number_); }

    /// The number, still owned here; negative when there is none.
    [[nodiscard]] constexpr int get() const noexcept { return number_; }
    constexpr explicit operator bool() const noexcept { return number_ >= 0; }

    /// The number, from now on the caller's to close.
    [[nodiscard]] constexpr int release() noexcept { return std::exchange(number_, -1); }

    /// Closes the file now.
    void reset() noexcept { close_number(release()); }

    /// A second number for the same open file, closed on exec.
    ///
    /// @return  errc::system when there are too many.
    [[nodiscard]] result<file_descriptor> duplicate() const noexcept
    {
        file_descriptor copy{::fcntl(number_, F_DUPFD_CLOEXEC, 0)};
        if (!copy)
            return errc::system;
        return copy;
    }

private:
    static void close_number(int number) noexcept
    {
        if (number < 0)
            return;
        const int before = errno;  // on the way out of a failed call errno still says why
        ::close(number);           // not again after EINTR: on Linux it is closed nevertheless
        errno = before;
    }

    int number_ = -1;
};

}  // namespace rpmsg::platform
