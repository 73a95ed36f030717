#include "meeting.hpp"

#include "failure.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>
#include <sys/un.h>

namespace tool {
namespace {

using namespace std::chrono_literals;
using namespace rpmsg::platform;

::sockaddr_un address_of(const std::string& path)
{
    check_path(path);
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    return address;
}

}  // namespace

void check_path(const std::string& path)
{
    constexpr auto most = sizeof ::sockaddr_un{}.sun_path - 1;
    if (path.empty() || path.size() > most)
        throw failure{status::bad_input, "the path of a socket has 1 to {} bytes", most};
}

listening_socket listen_at(const std::string& path)
{
    check_path(path);
    return must(listening_socket::at(path, SOCK_SEQPACKET), "cannot listen at " + path);
}

file_descriptor connect_to(const std::string& path, moment until)
{
    const auto address = address_of(path);
    for (;;) {
        file_descriptor made{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        if (!made)
            throw failure{status::failed, "cannot make a socket: {}", reason(rpmsg::errc::system)};
        if (::connect(made.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0)
            return made;
        // EAGAIN: somebody listens, and has too many at the door.
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
