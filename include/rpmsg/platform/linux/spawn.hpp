#pragma once

#include <rpmsg/platform/linux/await_readable.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/policy/clock.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rpmsg::platform {

/// This very program, to be started once more as the other side.
inline constexpr const char* this_program = "/proc/self/exe";

/// How a child ended.
struct exit_status {
    int code = 0;    ///< What it returned, when no signal ended it.
    int signal = 0;  ///< The signal that ended it, or 0.

    constexpr bool operator==(const exit_status&) const noexcept = default;
};

/// A program that this one started, with a socket between the two. Killed and reaped when it goes out of
/// scope, so no process outlives a test that failed.
///
/// @context One thread at a time. A program that ignores SIGCHLD has its children reaped by the kernel;
///          then wait() is errc::system (ECHILD).
class child_process {
public:
    /// The child's end of the socket has this number there; adopt_socket() takes it.
    static constexpr int socket_number = 3;
    static constexpr const char* socket_argument = "3";
    /// More than a command line here needs.
    static constexpr std::size_t most_arguments = 30;

    /// No child.
    child_process() noexcept = default;

    /// Starts a program, without a shell, with our environment and our standard streams.
    ///
    /// @param path       The program: this_program, or a path; not searched for. It is argv[0] too.
    /// @param arguments  argv[1] and on; one of them tells the child about socket_argument.
    /// @return  errc::too_long: more than most_arguments; errc::system: why there is no such process.
    static result<child_process> start(const char* path, std::span<const char* const> arguments) noexcept
    {
        if (arguments.size() > most_arguments)
            return errc::too_long;
        // posix_spawn() takes pointers to char for old times' sake; it writes through none of them.
        std::array<char*, most_arguments + 2> argv{const_cast<char*>(path)};
        for (std::size_t i = 0; i < arguments.size(); ++i)
            argv[i + 1] = const_cast<char*>(arguments[i]);

        std::array<int, 2> ends{};
        // Whole messages: a link's message is taken in one piece or not at all.
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
            return errc::system;
        child_process child;
        child.socket_ = file_descriptor{ends[0]};
        const file_descriptor theirs{ends[1]};

        if (const int why = spawn(child.pid_, theirs.get(), path, argv.data()); why != 0) {
            child.pid_ = -1;
            errno = why;
            return errc::system;
        }
        child.pidfd_ = file_descriptor{static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0))};
        if (!child.pidfd_)
            return errc::system;
        return child;
    }

    child_process(child_process&& other) noexcept
        : pid_{std::exchange(other.pid_, -1)},
          status_{other.status_},
          socket_{std::move(other.socket_)},
          pidfd_{std::move(other.pidfd_)}
    {}
    child_process& operator=(child_process&& other) noexcept
    {
        child_process taken{std::move(other)};
        std::swap(pid_, taken.pid_);
        std::swap(status_, taken.status_);
        std::swap(socket_, taken.socket_);
        std::swap(pidfd_, taken.pidfd_);
        return *this;
    }
    ~child_process()
    {
        const int before = errno;
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            static_cast<void>(retried([this] { return ::waitpid(pid_, nullptr, 0); }));
        }
        errno = before;
    }

    /// The pid, or -1 when it was reaped. Ours until then, so process::watch() may be given it.
    [[nodiscard]] ::pid_t pid() const noexcept { return pid_; }

    /// Our end of the socket, for send_link() and receive_link().
    [[nodiscard]] const file_descriptor& socket() const noexcept { return socket_; }

    /// Sends it a signal.
    ///
    /// @return  errc::system: it was reaped (ESRCH).
    result<void> kill(int signal = SIGKILL) noexcept
    {
        if (pid_ <= 0) {
            errno = ESRCH;
            return errc::system;
        }
        if (::kill(pid_, signal) != 0)
            return errc::system;
        return {};
    }

    /// Waits until it has ended, and reaps it. Says the same again afterwards.
    ///
    /// @return  errc::timed_out while it runs; errc::system when there is no child.
    result<exit_status> wait(policy::deadline<monotonic_clock> until) noexcept
    {
        if (pid_ <= 0 && pidfd_)
            return status_;
        if (const auto ended = await_readable(pidfd_.get(), until); !ended)
            return ended.error();
        int status = 0;
        const auto reaped = retried([&] { return ::waitpid(pid_, &status, WNOHANG); });
        if (reaped == 0)
            return errc::timed_out;
        pid_ = -1;
        if (reaped < 0) {
            pidfd_.reset();  // reaped behind our back: how it ended is not known
            return errc::system;
        }
        status_ =
            WIFSIGNALED(status) ? exit_status{0, WTERMSIG(status)} : exit_status{WEXITSTATUS(status), 0};
        return status_;
    }

private:
    /// @return  0, or the error's number: posix_spawn() and its kind do not set errno.
    static int spawn(::pid_t& pid, int socket, const char* path, char* const* argv) noexcept
    {
        ::posix_spawn_file_actions_t files;
        if (const int why = ::posix_spawn_file_actions_init(&files); why != 0)
            return why;
        ::posix_spawnattr_t attributes;
        int why = ::posix_spawnattr_init(&attributes);
        if (why == 0) {
            ::sigset_t none;
            ::sigemptyset(&none);
            // Signals that our threads block are none of the child's business.
            why = ::posix_spawnattr_setsigmask(&attributes, &none);
            if (why == 0)
                why = ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
            // Also clears close-on-exec, even if it has that number here already.
            if (why == 0)
                why = ::posix_spawn_file_actions_adddup2(&files, socket, socket_number);
            if (why == 0)
                why = ::posix_spawn(&pid, path, &files, &attributes, argv, environ);
            ::posix_spawnattr_destroy(&attributes);
        }
        ::posix_spawn_file_actions_destroy(&files);
        return why;
    }

    ::pid_t pid_ = -1;
    exit_status status_;
    file_descriptor socket_;
    file_descriptor pidfd_;
};

/// Takes over the socket whose number stood on the command line, in the child.
///
/// @param number  Decimal, not null.
/// @return  errc::malformed: not a number of an open file; errc::unsupported: no AF_UNIX socket, and left
///          alone.
inline result<file_descriptor> adopt_socket(std::string_view number) noexcept
{
    int fd = -1;
    const auto* const end = number.data() + number.size();
    const auto [rest, why] = std::from_chars(number.data(), end, fd);
    if (why != std::errc{} || rest != end || fd < 0 || ::fcntl(fd, F_GETFD) < 0)
        return errc::malformed;
    int domain = 0;
    ::socklen_t bytes = sizeof domain;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) != 0 || domain != AF_UNIX)
        return errc::unsupported;
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return errc::system;
    return file_descriptor{fd};
}

}  // namespace rpmsg::platform
