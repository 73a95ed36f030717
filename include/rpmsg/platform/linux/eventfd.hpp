#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/platform/linux/waiters.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/policy/wait.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

namespace rpmsg::platform {

/// Makes an eventfd, silent, nonblocking and closed on exec: one for each side that sleeps.
///
/// @return  errc::system when there are too many files.
inline result<file_descriptor> make_eventfd() noexcept
{
    file_descriptor made{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!made)
        return errc::system;
    return made;
}

/// Whether an open file is an eventfd. Asks /proc: the kernel tells it nowhere else.
///
/// Ringing anything else could raise SIGPIPE, write into a file, or wait.
///
/// @return  errc::unsupported when it is not; errc::system when /proc is not there.
inline result<void> check_is_eventfd(const file_descriptor& file) noexcept
{
    constexpr std::string_view prefix = "/proc/self/fd/";
    constexpr std::string_view wanted = "anon_inode:[eventfd]";
    std::array<char, prefix.size() + 12> path{};  // an int has at most 11 characters
    prefix.copy(path.data(), prefix.size());
    std::to_chars(path.data() + prefix.size(), path.data() + path.size() - 1, file.get());

    std::array<char, wanted.size() + 1> kind{};
    const auto length = ::readlink(path.data(), kind.data(), kind.size());
    if (length < 0)
        return errc::system;
    if (std::string_view{kind.data(), static_cast<std::size_t>(length)} != wanted)
        return errc::unsupported;
    return {};
}

/// Wakes the peer by one eventfd for both vrings: the one it sleeps on.
///
/// Rings that come before the peer looks are merged by the kernel. One system call a ring. Both sides
/// hold the same open file: a peer that makes it blocking on purpose, and fills it, can stop ring();
/// where the peer is not to be trusted that far, take futex_doorbell.
///
/// @context Any thread or signal handler; leaves errno as it was.
class eventfd_doorbell : public policy::doorbell_defaults {
public:
    static constexpr bool is_level = true;
    static constexpr bool needs_ack = true;

    /// Rings nobody.
    constexpr eventfd_doorbell() noexcept = default;
    /// @param peers  The peer's eventfd; stays the caller's and open as long as this rings.
    explicit constexpr eventfd_doorbell(const file_descriptor& peers) noexcept : fd_{peers.get()} {}

    void ring(policy::vring_id /*which*/) noexcept { ring(); }

    void ring() noexcept
    {
        if (fd_ < 0)
            return;
        const int before = errno;
        const std::uint64_t once = 1;
        // EAGAIN: it has been rung 2^64 - 2 times and not looked at, so the peer is awake anyway.
        static_cast<void>(retried([&] { return ::write(fd_, &once, sizeof once); }));
        errno = before;
    }

private:
    int fd_ = -1;
};
static_assert(policy::doorbell<eventfd_doorbell>);

/// This side's eventfd, for waiters.
class eventfd_bell {
public:
    /// @param own  The eventfd that the peer rings; stays the caller's and open as long as this lives.
    explicit eventfd_bell(const file_descriptor& own) noexcept : own_{&own} {}

    [[nodiscard]] int fd() const noexcept { return own_->get(); }
    void wake() noexcept { eventfd_doorbell{*own_}.ring(); }

    bool take() noexcept { return take_all() != 0; }
    /// How often it was rung since it was last taken.
    std::uint64_t take_all() noexcept
    {
        std::uint64_t count = 0;
        const ::iovec into{&count, sizeof count};
        // Not a plain read(): the peer has the same open file and could make it blocking.
        auto got = retried([&] { return ::preadv2(fd(), &into, 1, -1, RWF_NOWAIT); });
        if (got < 0 && errno == EOPNOTSUPP)  // before Linux 5.8
            got = retried([&] { return ::read(fd(), &count, sizeof count); });
        return got > 0 ? count : 0;
    }

private:
    const file_descriptor* own_;
};
static_assert(bell<eventfd_bell>);

/// The threads of this side that sleep on its eventfd; eventfd_wait is the handle to it.
class eventfd_waiters : public waiters<eventfd_bell> {
public:
    /// @param own  The eventfd that the peer rings; stays the caller's and open as long as this lives.
    explicit eventfd_waiters(const file_descriptor& own) noexcept : waiters{eventfd_bell{own}} {}
};

using eventfd_wait = shared_wait<eventfd_bell>;
static_assert(policy::wait<eventfd_wait>);

}  // namespace rpmsg::platform
