#include "hand_over.hpp"

#include "board.hpp"
#include "failure.hpp"
#include "fate.hpp"

#include <rpmsg/platform/linux/await_readable.hpp>
#include <rpmsg/platform/linux/retried.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace demo {
namespace {

using namespace std::chrono_literals;
using namespace rpmsg::platform;

/// Time for a person to type a command in the other terminal.
constexpr auto typing = 60s;
/// Time for a program to do what it does at once.
constexpr auto at_once = 10s;

// The link's message says nothing of how to ring: one more does.
constexpr std::string_view by_eventfd = "eventfd";
constexpr std::string_view by_futex = "futex";

::sockaddr_un address_of(const std::string& path)
{
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw failure{"the path of a socket has at most {} bytes", sizeof address.sun_path - 1};
    path.copy(address.sun_path, path.size());
    return address;
}

file_descriptor make_socket()
{
    file_descriptor made{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    if (!made)
        throw failure{"cannot make a socket: {}", reason(rpmsg::errc::system)};
    return made;
}

/// Whether somebody listens there.
bool reaches(const file_descriptor& socket, const ::sockaddr_un& address)
{
    return retried([&] {
               return ::connect(socket.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address);
           }) == 0;
}

file_descriptor listen_at(const std::string& path)
{
    const auto address = address_of(path);
    struct ::stat there{};
    if (::stat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) {
        if (reaches(make_socket(), address))
            throw failure{"another driver listens at {}", path};
        ::unlink(path.c_str());  // a driver that was killed left it behind
    }
    auto listener = make_socket();
    if (::bind(listener.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener.get(), 1) != 0)
        throw failure{"cannot listen at {}: {}", path, reason(rpmsg::errc::system)};
    return listener;
}

file_descriptor connect_to(const std::string& path)
{
    const auto address = address_of(path);
    const deadline until{typing};
    for (;;) {
        auto socket = make_socket();
        if (reaches(socket, address))
            return socket;
        if (errno != ENOENT && errno != ECONNREFUSED)
            throw failure{"cannot connect to {}: {}", path, reason(rpmsg::errc::system)};
        if (until.passed())
            throw failure{"no driver came to {} within {} s", path, typing.count()};
        std::this_thread::sleep_for(20ms);
    }
}

::pid_t process_behind(const file_descriptor& socket)
{
    ::ucred who{};
    ::socklen_t size = sizeof who;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 ? who.pid : -1;
}

}  // namespace

device_process::~device_process()
{
    if (bound_)
        ::unlink(chosen_.socket.c_str());
}

void device_process::spawn()
{
    const std::array arguments{"--role", "device", "--link", child_process::socket_argument};
    child_ = must(child_process::start(this_program, arguments), "cannot start the device process");
    pid_ = child_.pid();
}

void device_process::meet()
{
    const auto listener = listen_at(chosen_.socket);
    bound_ = true;
    if (!await_readable(listener.get(), typing))
        throw failure{"no device came to {} within {} s", chosen_.socket, typing.count()};
    visitor_ = file_descriptor{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!visitor_)
        throw failure{"cannot take the device in: {}", reason(rpmsg::errc::system)};
    pid_ = process_behind(visitor_);
}

monotonic::time_point device_process::start()
{
    const bool by_hand = !chosen_.socket.empty();
    const auto asked = monotonic::now();
    by_hand ? meet() : spawn();
    const auto there = by_hand ? monotonic::now() : asked;

    const auto& socket = by_hand ? visitor_ : child_.socket();
    must(send_link(socket, files_), "cannot hand the link over");
    const auto bell = chosen_.bell == doorbell::futex ? by_futex : by_eventfd;
    if (::send(socket.get(), bell.data(), bell.size(), MSG_NOSIGNAL) < 0)
        throw failure{"cannot hand the link over: {}", reason(rpmsg::errc::system)};

    must(by_hand ? watcher_.watch(must(visitor_.duplicate(), "cannot watch the device process"))
                 : watcher_.watch(child_.pid()),
         "cannot watch the device process");
    return there;
}

void device_process::kill()
{
    must(child_.kill(SIGKILL), "cannot kill the device process");
    must(child_.wait(at_once), "the device process survived SIGKILL");
}

void device_process::finish()
{
    const auto& socket = visitor_ ? visitor_ : child_.socket();
    ::shutdown(socket.get(), SHUT_RDWR);
    if (visitor_)
        return;
    const auto ended = child_.wait(at_once);
    if (!ended || *ended != exit_status{})
        throw failure{"{}", fate()};
}

std::string device_process::fate()
{
    if (visitor_)
        return await_readable(visitor_.get(), 0s) ? "the device process has gone"
                                                  : "the device process does not answer";
    return fate_of("the device process", child_.wait(1s));
}

taken_link take_link(const options& chosen)
{
    if (!chosen.link.empty())
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a parent that is gone by now has hung up: see below
    auto socket = chosen.link.empty() ? connect_to(chosen.socket)
                                      : must(adopt_socket(chosen.link), "--link is for the driver to use");
    auto files = must(receive_link(socket, at_once), "cannot take the link over");

    std::array<char, 16> text{};
    if (!await_readable(socket.get(), at_once))
        throw failure{"the driver does not say how to ring"};
    const auto length = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
    const std::string_view bell{text.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
    if (bell != by_eventfd && bell != by_futex)
        throw failure{"the driver does not say how to ring"};
    return {std::move(files), std::move(socket), bell == by_futex ? doorbell::futex : doorbell::eventfd};
}

}  // namespace demo
