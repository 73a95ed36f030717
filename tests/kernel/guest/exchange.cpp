#include "kernel/guest/device.hpp"
#include "kernel/guest/modes.hpp"
#include "kernel/guest/system.hpp"
#include "kernel/pattern.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

namespace guest {

namespace {

constexpr unsigned echoes = 40;  // twice around a ring of 16

bytes some(std::size_t size)
{
    bytes made(size);
    pattern::numbers from{size};
    std::ranges::generate(made, [&] { return static_cast<std::byte>(from.next()); });
    return made;
}

}  // namespace

void exchange()
{
    std::vector<node> open;
    for (unsigned bus = 0; bus != number("BUSES", 1); ++bus)
        open.emplace_back(wait_node("rpmsg-raw", static_cast<int>(bus)).path);
    say("features {}", read_file("/sys/bus/virtio/devices/virtio0/features"));  // bit 0 first
    std::array<std::byte, pattern::longest> room{};
    for (unsigned n = 0; n != echoes; ++n)
        for (const auto& each : open)
            each.echo(pattern::make(pattern::way::to_host, n, room));
}

void sizes()
{
    const node raw{wait_node("rpmsg-raw").path};
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 495U, 496U, 0U})
        raw.echo(some(size));
    for (const std::size_t size : {497U, 512U, 1000U})
        check(raw.try_write(some(size)) == EMSGSIZE, "more than 496 bytes are EMSGSIZE");
    raw.echo(some(496));
}

void tty()
{
    std::string path;
    wait_for(
        [&] {
            path = "/dev/ttyRPMSG0";
            return exists(path);
        },
        "the terminal");
    const file line{path, O_RDWR | O_NOCTTY};
    ::termios mode{};
    check(::tcgetattr(line.get(), &mode) == 0, "the terminal's mode");
    ::cfmakeraw(&mode);  // by itself it is not clean: ^S, ^Q and others are its own
    check(::tcsetattr(line.get(), TCSANOW, &mode) == 0, "the terminal's mode is set");
    const auto sent = some(1000);
    check(::write(line.get(), sent.data(), sent.size()) == 1000, "1000 bytes are written at once");
    bytes back;
    while (back.size() < sent.size()) {
        ::pollfd ask{.fd = line.get(), .events = POLLIN, .revents = 0};
        check(::poll(&ask, 1, 5000) == 1, "1000 bytes come back");
        std::array<std::byte, 1000> room{};
        const auto size = ::read(line.get(), room.data(), room.size());
        if (size <= 0)
            fail_errno("read");
        back.insert(back.end(), room.begin(), room.begin() + size);
    }
    check(back == sent, "the terminal gives back what was written");
}

void sample()
{
    const file module{word("MODULE"), O_RDONLY};
    if (::syscall(SYS_finit_module, module.get(), "", 0) != 0)
        fail_errno("finit_module");
    wait_for([] { return kernel_said("goodbye!"); }, "the sample's goodbye");
    if (::syscall(SYS_delete_module, "rpmsg_client_sample", 0) != 0)
        fail_errno("delete_module");
}

}  // namespace guest
