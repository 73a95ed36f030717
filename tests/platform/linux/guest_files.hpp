#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/guest_regions.hpp>
#include <rpmsg/platform/linux/received_files.hpp>

#include "sent_files.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <memory>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace platform_test {

using namespace rpmsg::platform;

/// Files as a socket brings them.
struct brought {
    explicit brought(int file)
    {
        const stream_pair socket;
        socket.send(std::array{std::byte{}}, {file, file});
        std::byte letter{};
        ::iovec body{&letter, 1};
        ::msghdr message{};
        message.msg_iov = &body;
        message.msg_iovlen = 1;
        files.expect(message);
        REQUIRE(::recvmsg(socket.second.get(), &message, MSG_CMSG_CLOEXEC) == 1);
        files.take(message);
        REQUIRE(files.count() == 2);
    }
    received_files<2> files;
};

struct file_of_64k {
    file_of_64k() { REQUIRE(::ftruncate(file.get(), 65536) == 0); }
    file_descriptor file{::memfd_create("guest", MFD_CLOEXEC)};
};

inline std::unique_ptr<guest_regions> two_regions(const file_descriptor& file)
{
    brought came{file.get()};
    auto made = std::make_unique<guest_regions>();
    REQUIRE(made->map({{{{0x1000, 4096, 0xA000, 0}, {0x8000, 8192, 0xF000, 4096}}}, 2}, came.files));
    return made;
}

}  // namespace platform_test
