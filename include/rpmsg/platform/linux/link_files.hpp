#pragma once

#include <rpmsg/platform/linux/await_readable.hpp>
#include <rpmsg/platform/linux/eventfd.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/platform/linux/shared_memory.hpp>
#include <rpmsg/policy/clock.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rpmsg::platform {

/// What two processes share for one link. One creates it and sends it to the other (send_link()).
struct link_files {
    shared_memory memory;  ///< Rings, buffers and resource table; futex_words, if that is the doorbell.
    file_descriptor wakes_driver;  ///< The eventfd that the driver sleeps on and the device rings.
    file_descriptor wakes_device;  ///< The eventfd that the device sleeps on and the driver rings.

    /// Makes zeroed memory of `size` bytes and two eventfds.
    ///
    /// @return  errc::system as shared_memory::create() and make_eventfd().
    static result<link_files> create(std::size_t size, const char* name = "rpmsg") noexcept
    {
        auto memory = shared_memory::create(size, name);
        auto for_driver = make_eventfd();
        auto for_device = make_eventfd();
        if (!memory || !for_driver || !for_device)
            return errc::system;
        return link_files{*std::move(memory), *std::move(for_driver), *std::move(for_device)};
    }
};

/// The message that carries a link: these 8 bytes and three files, in the order of link_files.
struct link_message {
    using text = std::array<char, 8>;
    static constexpr text opening{'r', 'p', 'm', 's', 'g', '-', '1', '\n'};
    static constexpr std::size_t files = 3;

    // Room for the files and, by alignment, maybe one more: so the number that came is looked at.
    static constexpr std::size_t control_bytes = CMSG_SPACE(files * sizeof(int));
    static constexpr std::size_t most_files = control_bytes / sizeof(int);
};

/// Sends a link's files over a connected AF_UNIX socket (socketpair(), connect()). Ours stay open.
///
/// @return  errc::system: nobody is there (EPIPE), or the socket is full (EAGAIN).
/// @context Any thread. Never waits, raises no SIGPIPE.
inline result<void> send_link(const file_descriptor& socket, const link_files& link) noexcept
{
    auto text = link_message::opening;
    const std::array<int, link_message::files> files{link.memory.fd(), link.wakes_driver.get(),
                                                     link.wakes_device.get()};

    alignas(::cmsghdr) std::array<unsigned char, link_message::control_bytes> control{};
    ::iovec body{text.data(), text.size()};
    ::msghdr message{};
    message.msg_iov = &body;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof files);
    std::memcpy(CMSG_DATA(rights), files.data(), sizeof files);

    if (retried([&] { return ::sendmsg(socket.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT); }) < 0)
        return errc::system;
    return {};
}

/// Whether an open file is an eventfd that answers at once. Asks /proc: the kernel tells it nowhere else.
///
/// Ringing anything else could raise SIGPIPE, write into a file, or wait.
///
/// @return  errc::unsupported when it is not; errc::system when /proc is not there.
inline result<void> check_eventfd(const file_descriptor& file) noexcept
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
    const int flags = ::fcntl(file.get(), F_GETFL);
    if (flags < 0)
        return errc::system;
    if ((flags & O_NONBLOCK) == 0 || (flags & O_ACCMODE) != O_RDWR)
        return errc::unsupported;
    return {};
}

/// Takes the files that send_link() sent, and believes none of them.
///
/// Files of a message that is refused are closed. The memory's size is for the caller to compare with what
/// the resource table in it says.
///
/// @return  errc::timed_out; errc::malformed: other bytes or another number of files; errc::unsupported:
///          memory that may shrink, or no eventfd; errc::system: the sender hung up (ECONNRESET), or a file
///          that cannot be mapped.
/// @context Any thread.
inline result<link_files> receive_link(const file_descriptor& socket,
                                       policy::deadline<monotonic_clock> until) noexcept
{
    if (const auto came = await_readable(socket.get(), until); !came)
        return came.error();

    link_message::text text{};
    alignas(::cmsghdr) std::array<unsigned char, link_message::control_bytes> control{};
    ::iovec body{text.data(), text.size()};
    ::msghdr message{};
    message.msg_iov = &body;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto length =
        retried([&] { return ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT); });
    if (length < 0)
        return errc::system;

    // Own whatever came before anything is refused, or it would stay open.
    std::array<file_descriptor, link_message::most_files> files;
    std::size_t count = 0;
    for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t bytes = part->cmsg_len - CMSG_LEN(0);
        for (std::size_t at = 0; at + sizeof(int) <= bytes && count < files.size(); at += sizeof(int)) {
            int number = -1;
            std::memcpy(&number, CMSG_DATA(part) + at, sizeof number);
            files[count++] = file_descriptor{number};
        }
    }

    if (length == 0 && count == 0) {
        errno = ECONNRESET;
        return errc::system;
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || count != link_message::files)
        return errc::malformed;
    if (static_cast<std::size_t>(length) != text.size() || text != link_message::opening)
        return errc::malformed;

    auto memory = shared_memory::adopt(std::move(files[0]));
    if (!memory)
        return memory.error();
    for (const auto* bell : {&files[1], &files[2]})
        if (const auto checked = check_eventfd(*bell); !checked)
            return checked.error();
    return link_files{*std::move(memory), std::move(files[1]), std::move(files[2])};
}

}  // namespace rpmsg::platform
