#include "kernel/guest/device.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace guest {

namespace {

namespace fs = std::filesystem;
constexpr auto create_ept = _IOW(0xb5, 0x1, endpoint_info);
constexpr auto destroy_ept = _IO(0xb5, 0x2);
constexpr auto create_dev = _IOW(0xb5, 0x3, endpoint_info);
constexpr auto release_dev = _IOW(0xb5, 0x4, endpoint_info);

endpoint_info info(std::string_view name, std::uint32_t src, std::uint32_t dst)
{
    endpoint_info made{};
    name.copy(static_cast<char*>(made.name), sizeof made.name - 1);
    made.src = src;
    made.dst = dst;
    return made;
}

/// Signed in sysfs: -1 is any.
std::uint32_t address_in(const fs::path& path)
{
    const auto text = read_file(path);
    return text.empty() ? any : static_cast<std::uint32_t>(std::stol(text));
}

bool is_of(const fs::path& entry, int bus)
{
    std::error_code gone;
    const auto where = fs::read_symlink(entry, gone).string();
    return bus < 0 || where.find(fmt::format("/virtio{}/", bus)) != std::string::npos;
}

template <typename Each>
void each_of_class(int bus, Each each)
{
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{"/sys/class/rpmsg", none})
        if (is_of(entry.path(), bus))
            each(entry.path());
}

std::string control_of(int bus)
{
    std::string found;
    wait_for(
        [&] {
            each_of_class(bus, [&](const fs::path& path) {
                const auto name = path.filename().string();
                if (name.starts_with("rpmsg_ctrl") && exists("/dev/" + name))
                    found = "/dev/" + name;
            });
            return !found.empty();
        },
        fmt::format("the control device of virtio{}", bus));
    return found;
}

int done(int status) { return status < 0 ? errno : 0; }

}  // namespace

node::node(const std::string& path) : file_{path, O_RDWR | O_NONBLOCK} {}

int node::try_write(std::span<const std::byte> message) const
{
    const auto went = ::write(file_.get(), message.data(), message.size());
    if (went >= 0 && static_cast<std::size_t>(went) != message.size())
        fail("{} of {} bytes were written", went, message.size());
    return went < 0 ? errno : 0;
}

void node::write(std::span<const std::byte> message) const
{
    errno = try_write(message);
    if (errno != 0)
        fail_errno(fmt::format("write {} bytes", message.size()));
}

::ssize_t node::try_read(std::span<std::byte> into) const
{
    return ::read(file_.get(), into.data(), into.size());
}

short node::await(std::chrono::milliseconds longest) const
{
    ::pollfd ask{.fd = file_.get(), .events = POLLIN, .revents = 0};
    static_cast<void>(::poll(&ask, 1, static_cast<int>(longest.count())));
    return ask.revents;
}

bytes node::read(std::chrono::milliseconds longest) const
{
    bytes message(1024);
    if (await(longest) == 0)
        fail("no message in {} ms", longest.count());
    const auto size = try_read(message);
    if (size < 0)
        fail_errno("read");
    message.resize(static_cast<std::size_t>(size));
    return message;
}

int node::read_error(std::chrono::milliseconds longest) const
{
    bytes message(1024);
    for (;;) {
        if (await(longest) == 0)
            fail("no error in {} ms", longest.count());
        if (try_read(message) < 0 && errno != EAGAIN)
            return errno;
    }
}

void node::echo(std::span<const std::byte> message) const
{
    write(message);
    const auto back = read();
    if (!std::ranges::equal(back, message))
        fail("{} bytes came back as {} others", message.size(), back.size());
}

std::vector<listed> nodes(int bus)
{
    std::vector<listed> found;
    each_of_class(bus, [&](const fs::path& path) {
        const auto name = read_file(path / "name");
        if (!name.empty() && !path.filename().string().starts_with("rpmsg_ctrl"))
            found.push_back({"/dev/" + path.filename().string(), name, address_in(path / "src"),
                             address_in(path / "dst")});
    });
    return found;
}

listed wait_node(std::string_view name, int bus)
{
    std::optional<listed> found;
    wait_for(
        [&] {
            for (auto& one : nodes(bus))
                if (one.name == name && exists(one.path))
                    found = std::move(one);
            return found.has_value();
        },
        fmt::format("a node of {}", name));
    return *found;
}

void wait_no_node(std::string_view name, int bus)
{
    wait_for(
        [&] { return std::ranges::none_of(nodes(bus), [&](const listed& one) { return one.name == name; }); },
        fmt::format("the node of {} to go", name));
}

control::control(int bus) : bus_{bus}, file_{control_of(bus), O_RDWR} {}

listed control::create_endpoint(std::string_view name, std::uint32_t src, std::uint32_t dst) const
{
    auto made = info(name, src, dst);
    if (::ioctl(file_.get(), create_ept, &made) < 0)
        fail_errno("RPMSG_CREATE_EPT_IOCTL");
    return wait_node(name, bus_);
}

int control::create_channel(std::string_view name, std::uint32_t src, std::uint32_t dst) const
{
    auto made = info(name, src, dst);
    return done(::ioctl(file_.get(), create_dev, &made));
}

int control::release_channel(std::string_view name, std::uint32_t src, std::uint32_t dst) const
{
    auto made = info(name, src, dst);
    return done(::ioctl(file_.get(), release_dev, &made));
}

int destroy_endpoint(const node& of) { return done(::ioctl(of.get(), destroy_ept, nullptr)); }

void unbind(int bus)
{
    write_file("/sys/bus/virtio/drivers/virtio_rpmsg_bus/unbind", fmt::format("virtio{}", bus));
}
void bind(int bus)
{
    write_file("/sys/bus/virtio/drivers/virtio_rpmsg_bus/bind", fmt::format("virtio{}", bus));
}

}  // namespace guest
