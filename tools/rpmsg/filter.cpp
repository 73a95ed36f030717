#include "filter.hpp"

#include "failure.hpp"

#include <rpmsg/platform/linux/await_readable.hpp>
#include <rpmsg/platform/linux/retried.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tool {
namespace {

using namespace std::chrono_literals;
using namespace rpmsg::platform;

struct pipe_ends {
    file_descriptor out;
    file_descriptor in;
};

pipe_ends make_pipe()
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw failure{status::failed, "cannot make a pipe: {}", reason(rpmsg::errc::system)};
    return {file_descriptor{ends[0]}, file_descriptor{ends[1]}};
}

/// Only our end of a pipe: the program's own is not to surprise it.
void set_nonblocking(const file_descriptor& file)
{
    ::fcntl(file.get(), F_SETFL, ::fcntl(file.get(), F_GETFL) | O_NONBLOCK);
}

/// @return  0, or the error's number.
int spawn(::pid_t& pid, std::string command, int in, int out)
{
    ::posix_spawn_file_actions_t files;
    ::posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);

    // A group of its own: Ctrl-C is for us, and what the shell started ends with it.
    ::sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);  // which we ignore
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

    std::string shell{"/bin/sh"};
    std::string option{"-c"};
    const std::array argv{shell.data(), option.data(), command.data(), static_cast<char*>(nullptr)};
    const int why = ::posix_spawn(&pid, shell.c_str(), &files, &attributes, argv.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
    return why;
}

}  // namespace

filter::filter(const std::string& command)
{
    auto to_it = make_pipe();
    auto from_it = make_pipe();
    set_nonblocking(to_it.in);
    set_nonblocking(from_it.out);
    if (const int why = spawn(pid_, command, to_it.out.get(), from_it.in.get()); why != 0) {
        errno = why;
        throw failure{status::failed, "cannot start /bin/sh: {}", reason(rpmsg::errc::system)};
    }
    input_ = std::move(to_it.in);
    output_ = std::move(from_it.out);
}

filter::~filter()
{
    // The end of its input is the polite way; whoever does not take it gets SIGTERM, and then SIGKILL.
    input_.reset();
    output_.reset();
    const file_descriptor ended{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
    if (!await_readable(ended.get(), 100ms)) {
        ::kill(-pid_, SIGTERM);
        if (!await_readable(ended.get(), 200ms))
            ::kill(-pid_, SIGKILL);
    }
    static_cast<void>(retried([this] { return ::waitpid(pid_, nullptr, 0); }));
}

rpmsg::result<std::size_t> filter::write(std::span<const std::byte> bytes) noexcept
{
    const auto count = retried([&] { return ::write(input_.get(), bytes.data(), bytes.size()); });
    if (count >= 0)
        return static_cast<std::size_t>(count);
    return errno == EAGAIN ? rpmsg::errc::full : rpmsg::errc::closed;
}

rpmsg::result<std::size_t> filter::read(std::span<std::byte> into) noexcept
{
    const auto count = retried([&] { return ::read(output_.get(), into.data(), into.size()); });
    if (count > 0)
        return static_cast<std::size_t>(count);
    return count < 0 && errno == EAGAIN ? rpmsg::errc::empty : rpmsg::errc::closed;
}

}  // namespace tool
