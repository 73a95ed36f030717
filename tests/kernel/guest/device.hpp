#pragma once

#include "kernel/guest/system.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// /dev/rpmsg* as the kernel has it.
namespace guest {

inline constexpr std::uint32_t any = 0xFFFF'FFFF;
using bytes = std::vector<std::byte>;

inline bytes bytes_of(std::string_view text)
{
    const auto* const at = reinterpret_cast<const std::byte*>(text.data());
    return {at, at + text.size()};
}
inline std::string text_of(std::span<const std::byte> of)
{
    return {reinterpret_cast<const char*>(of.data()), of.size()};
}

/// What the kernel calls an endpoint, as its ioctls take it.
struct endpoint_info {
    char name[32];  // NOLINT(modernize-avoid-c-arrays): the kernel's own layout
    std::uint32_t src;
    std::uint32_t dst;
};

/// /dev/rpmsgN.
class node {
public:
    /// Throws std::system_error.
    explicit node(const std::string& path);

    /// One message, at once: 0, or errno.
    [[nodiscard]] int try_write(std::span<const std::byte> message) const;
    /// One message; fails when the kernel refuses it.
    void write(std::span<const std::byte> message) const;
    /// The next message; fails after that time, and on any error.
    [[nodiscard]] bytes read(std::chrono::milliseconds longest = std::chrono::seconds{5}) const;
    /// The error that ends reading; messages that come before it are dropped. Fails after that time.
    [[nodiscard]] int read_error(std::chrono::milliseconds longest = std::chrono::seconds{5}) const;
    /// A message that is there already: its length, or -1 and errno.
    [[nodiscard]] ::ssize_t try_read(std::span<std::byte> into) const;
    /// Waits for a message or an error: poll()'s revents, 0 after that time.
    [[nodiscard]] short await(std::chrono::milliseconds longest) const;
    /// What is written is to come back unchanged.
    void echo(std::span<const std::byte> message) const;
    [[nodiscard]] int get() const { return file_.get(); }

private:
    file file_;
};

/// What sysfs says of an /dev/rpmsgN.
struct listed {
    std::string path;
    std::string name;
    std::uint32_t src;
    std::uint32_t dst;
};

/// All /dev/rpmsgN of virtioBUS, or of each bus for -1.
std::vector<listed> nodes(int bus = -1);
/// The one of that name; waits until it is there with its node in /dev.
listed wait_node(std::string_view name, int bus = -1);
void wait_no_node(std::string_view name, int bus = -1);

/// /dev/rpmsg_ctrlN of virtioBUS, waited for.
class control {
public:
    explicit control(int bus = 0);
    /// A node from `src` to `dst`.
    listed create_endpoint(std::string_view name, std::uint32_t src, std::uint32_t dst) const;
    /// A channel; 0, or errno.
    [[nodiscard]] int create_channel(std::string_view name, std::uint32_t src, std::uint32_t dst) const;
    [[nodiscard]] int release_channel(std::string_view name, std::uint32_t src, std::uint32_t dst) const;

private:
    int bus_;
    file file_;
};
/// Ends a node that create_endpoint() made: 0, or errno.
int destroy_endpoint(const node& of);

/// Takes the driver off virtioBUS, or puts it back.
void unbind(int bus = 0);
void bind(int bus = 0);

}  // namespace guest
