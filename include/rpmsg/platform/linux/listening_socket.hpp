#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/result.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace rpmsg::platform {

/// A name in the file system at which others connect: an AF_UNIX socket, removed with the object.
///
/// @context One thread at a time.
class listening_socket {
public:
    /// Nowhere.
    listening_socket() noexcept = default;

    /// Makes it. A socket that somebody left there who no longer listens is removed first.
    ///
    /// @param path  At most 107 bytes. @param type  SOCK_STREAM or SOCK_SEQPACKET.
    /// @return errc::too_long; errc::system: somebody listens there, or something else is there (EADDRINUSE), or
    ///         the folder is not there or not ours.
    static result<listening_socket> at(std::string_view path, int type = SOCK_STREAM) noexcept
    {
        listening_socket made;
        if (path.empty() || path.size() >= sizeof made.name_.sun_path)
            return errc::too_long;
        made.name_.sun_family = AF_UNIX;
        path.copy(made.name_.sun_path, path.size());
        made.file_ = file_descriptor{::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        if (!made.file_)
            return errc::system;
        if (made.bind() != 0 && (errno != EADDRINUSE || !made.remove_left_over() || made.bind() != 0))
            return errc::system;
        struct ::stat about{};
        if (::stat(made.name_.sun_path, &about) != 0 || ::listen(made.file_.get(), 4) != 0)
            return errc::system;
        made.inode_ = about.st_ino;
        made.device_ = about.st_dev;
        return made;
    }

    listening_socket(listening_socket&& other) noexcept
        : file_{std::move(other.file_)},
          name_{other.name_},
          inode_{std::exchange(other.inode_, 0)},
          device_{other.device_}
    {}
    listening_socket& operator=(listening_socket&& other) noexcept
    {
        listening_socket taken{std::move(other)};
        std::swap(file_, taken.file_);
        std::swap(name_, taken.name_);
        std::swap(inode_, taken.inode_);
        std::swap(device_, taken.device_);
        return *this;
    }
    ~listening_socket()
    {
        const int before = errno;
        struct ::stat about{};
        // Somebody else may have made his own there by now.
        if (inode_ != 0 && ::lstat(name_.sun_path, &about) == 0 && about.st_ino == inode_ &&
            about.st_dev == device_)
            ::unlink(name_.sun_path);
        errno = before;
    }

    explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] const file_descriptor& file() const noexcept { return file_; }

    /// Whoever waits at the door, if anybody does. Never waits.
    ///
    /// @return errc::empty; errc::system: too many files.
    [[nodiscard]] result<file_descriptor> accept() const noexcept
    {
        file_descriptor came{
            retried([this] { return ::accept4(file_.get(), nullptr, nullptr, SOCK_CLOEXEC); })};
        if (came)
            return came;
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? errc::system : errc::empty;
    }

private:
    int bind() const noexcept
    {
        return ::bind(file_.get(), reinterpret_cast<const ::sockaddr*>(&name_), sizeof name_);
    }
    [[nodiscard]] bool remove_left_over() const noexcept
    {
        struct ::stat about{};
        if (::lstat(name_.sun_path, &about) != 0 || !S_ISSOCK(about.st_mode)) {
            errno = EADDRINUSE;
            return false;
        }
        for (const int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
            const file_descriptor knock{::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
            const int answer =
                ::connect(knock.get(), reinterpret_cast<const ::sockaddr*>(&name_), sizeof name_);
            if (answer != 0 && errno == ECONNREFUSED)
                return ::unlink(name_.sun_path) == 0;
            if (answer == 0 || errno != EPROTOTYPE)
                break;  // somebody is there; or we cannot tell
        }
        errno = EADDRINUSE;
        return false;
    }

    file_descriptor file_;
    ::sockaddr_un name_{};
    ::ino_t inode_ = 0;
    ::dev_t device_ = 0;
};

}  // namespace rpmsg::platform
