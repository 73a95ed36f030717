#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

namespace platform_test {

/// Sends bytes with files beside them. What cannot fail in a test ends it.
inline ::ssize_t send_with_files(const rpmsg::platform::file_descriptor& socket,
                                 std::span<const std::byte> bytes, const std::vector<int>& files,
                                 int flags = 0)
{
    ::iovec body{const_cast<std::byte*>(bytes.data()), bytes.size()};
    ::msghdr message{};
    message.msg_iov = &body;
    message.msg_iovlen = 1;
    std::vector<unsigned char> control(CMSG_SPACE(files.size() * sizeof(int)));
    if (!files.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        auto* const rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(files.size() * sizeof(int));
        std::memcpy(CMSG_DATA(rights), files.data(), files.size() * sizeof(int));
    }
    return ::sendmsg(socket.get(), &message, MSG_NOSIGNAL | flags);
}

/// Two ends of a stream socket: what is sent at the first, with files beside it, is there at the second.
struct stream_pair {
    stream_pair()
    {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
            std::abort();
        first = rpmsg::platform::file_descriptor{ends[0]};
        second = rpmsg::platform::file_descriptor{ends[1]};
    }
    void send(std::span<const std::byte> bytes, const std::vector<int>& files = {}) const
    {
        if (send_with_files(first, bytes, files) != static_cast<::ssize_t>(bytes.size()))
            std::abort();
    }
    rpmsg::platform::file_descriptor first;
    rpmsg::platform::file_descriptor second;
};

}  // namespace platform_test
