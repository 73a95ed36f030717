#include "meeting.hpp"

#include "failure.hpp"

#include <rpmsg/platform/linux/retried.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tool {
namespace {

using namespace std::chrono_literals;
using namespace rpmsg::platform;

::sockaddr_un address_of(const std::string& path)
{
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        throw failure{status::bad_input, "the path of a socket has 1 to {} bytes",
                      sizeof address.sun_path - 1};
    path.copy(address.sun_path, path.size());
    return address;
}

file_descriptor make_socket()
{
    // Whole messages: a link's message is taken in one piece or not at all.
    file_descriptor made{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!made)
        throw failure{status::failed, "cannot make a socket: {}", reason(rpmsg::errc::system)};
    return made;
}

/// Whether somebody listens there; EAGAIN: somebody does, and is too busy to take one more.
bool reaches(const file_descriptor& socket, const ::sockaddr_un& address)
{
    return retried([&] {
               return ::connect(socket.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address);
           }) == 0;
}

}  // namespace

meeting_point::meeting_point(std::string path) : path_{std::move(path)}, listener_{make_socket()}
{
    const auto address = address_of(path_);
    struct ::stat there{};
    if (::lstat(path_.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) {
        if (reaches(make_socket(), address) || errno != ECONNREFUSED)
            throw failure{status::failed, "somebody else listens at {}", path_};
        ::unlink(path_.c_str());
    }
    if (::bind(listener_.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 8) != 0)
        throw failure{status::failed, "cannot listen at {}: {}", path_, reason(rpmsg::errc::system)};
}

meeting_point::~meeting_point() { ::unlink(path_.c_str()); }

file_descriptor meeting_point::take_in()
{
    return file_descriptor{
        retried([&] { return ::accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); })};
}

file_descriptor connect_to(const std::string& path, moment until)
{
    const auto address = address_of(path);
    for (;;) {
        auto socket = make_socket();
        if (reaches(socket, address))
            return socket;
        if (errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN)
            throw failure{status::failed, "cannot connect to {}: {}", path, reason(rpmsg::errc::system)};
        const auto now = monotonic::now();
        if (now >= until)
            throw failure{status::failed, "nobody listens at {}", path};
        files nothing;
        sleep_on(nothing, std::min(until, now + 20ms));
        if (stop_asked())
            return {};
    }
}

::pid_t process_behind(const file_descriptor& socket)
{
    ::ucred who{};
    ::socklen_t size = sizeof who;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 ? who.pid : -1;
}

}  // namespace tool
