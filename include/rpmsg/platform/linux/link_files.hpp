#pragma once

#include <rpmsg/platform/linux/await_readable.hpp>
#include <rpmsg/platform/linux/eventfd.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/received_files.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/platform/linux/shared_memory.hpp>
#include <rpmsg/policy/clock.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>

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

    alignas(::cmsghdr) std::array<unsigned char, CMSG_SPACE(sizeof files)> control{};
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

/// Whether an open file is an eventfd that answers at once.
///
/// @return  errc::unsupported when it is not; errc::system when /proc is not there.
inline result<void> check_eventfd(const file_descriptor& file) noexcept
{
    if (const auto is_one = check_is_eventfd(file); !is_one)
        return is_one;
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
    received_files<link_message::files> files;
    ::iovec body{text.data(), text.size()};
    ::msghdr message{};
    message.msg_iov = &body;
    message.msg_iovlen = 1;
    files.expect(message);
    const auto length =
        retried([&] { return ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT); });
    if (length < 0)
        return errc::system;
    files.take(message);

    if (length == 0 && files.count() == 0) {
        errno = ECONNRESET;
        return errc::system;
    }
    if ((message.msg_flags & MSG_TRUNC) != 0 || files.too_many() || files.count() != link_message::files)
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
