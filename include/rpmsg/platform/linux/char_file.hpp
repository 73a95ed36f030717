#pragma once

#include <rpmsg/platform/linux/char_entries.hpp>
#include <rpmsg/platform/linux/char_ioctl.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/platform/linux/time_left.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <span>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace rpmsg::platform {

/// An open /dev/rpmsgN: one endpoint of the kernel's, which is nobody else's meanwhile.
///
/// Never blocks: a blocking write could wait 15 seconds, and poll() of the same endpoint behind it.
/// What is not read stays in the kernel, which has no bound for it: a slow reader costs memory there.
///
/// @context One thread at a time.
class char_file {
public:
    /// Nothing is open.
    char_file() noexcept = default;
    /// Takes over what is open already. @pre O_NONBLOCK is set.
    explicit char_file(file_descriptor open) noexcept : file_{std::move(open)} {}

    /// Opens a node; only now the kernel claims its address.
    ///
    /// @return errc::address_in_use: another program has it open, or its address; errc::not_ready: udev has
    ///         not made it yet, or given us no right to it yet; errc::link_down: what it stood for has gone;
    ///         errc::system.
    static result<char_file> open(const char* root, int number) noexcept
    {
        auto folder = char_folder::open(root, char_folder::nodes);
        if (!folder)
            return errc::system;
        std::array<char, 24> entry{};
        std::snprintf(entry.data(), entry.size(), "rpmsg%d", number);
        file_descriptor opened{retried([&] {
            return ::openat(folder->get(), entry.data(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        })};
        if (!opened)
            return why_closed();
        return char_file{std::move(opened)};
    }

    [[nodiscard]] int fd() const noexcept { return file_.get(); }
    explicit operator bool() const noexcept { return static_cast<bool>(file_); }

    /// Takes one message, which may have no bytes at all.
    ///
    /// @param into  Room for the longest there can be: the kernel drops what does not fit, and does not say so.
    /// @return Its length; errc::empty; errc::link_down; errc::system.
    [[nodiscard]] result<std::size_t> read(std::span<std::byte> into) const noexcept
    {
        const auto length = retried([&] { return ::read(file_.get(), into.data(), into.size()); });
        if (length >= 0)
            return static_cast<std::size_t>(length);
        if (errno == EAGAIN)
            return errc::empty;
        return has_gone(errno) ? errc::link_down : errc::system;
    }

    /// Sends one message, all of it or nothing, now.
    ///
    /// @return errc{}; errc::full; errc::too_long; errc::link_down; errc::system.
    [[nodiscard]] errc write(std::span<const std::byte> payload) const noexcept
    {
        // Where the payload is empty its pointer may be, too; the kernel sends a message without bytes.
        if (retried([&] { return ::write(file_.get(), payload.data(), payload.size()); }) >= 0)
            return errc{};
        switch (errno) {
        case EAGAIN:
        case ENOMEM:
        case kernels_restart: return errc::full;
        case EMSGSIZE: return errc::too_long;
        default: return has_gone(errno) ? errc::link_down : errc::system;
        }
    }

    /// Whether the kernel says that there is room to send.
    ///
    /// Linux up to 6.12 never does; from 7.0 on it does. So a yes is a property of the kernel, while a no
    /// may mean that there is none at this moment.
    [[nodiscard]] bool says_writable() const noexcept
    {
        ::pollfd look{file_.get(), POLLOUT, 0};
        return ::poll(&look, 1, 0) == 1 && (look.revents & POLLOUT) != 0;
    }
    /// Sleeps until there is room, if the kernel says so, until the endpoint has gone, or until the time is over.
    void await_writable(bool kernel_says, std::chrono::nanoseconds time) const noexcept
    {
        ::pollfd look{file_.get(), static_cast<short>(kernel_says ? POLLOUT : 0), 0};
        const auto timeout = to_timespec(time);
        ::ppoll(&look, 1, &timeout, nullptr);
    }

    /// Removes the node and closes it. One that was made with its channel stays: EINVAL.
    void destroy() noexcept
    {
        static_cast<void>(retried([&] { return ::ioctl(file_.get(), char_ioctl::destroy_endpoint); }));
        close();
    }
    void close() noexcept { file_.reset(); }

private:
    // ERESTARTSYS, which is not for programs: Linux lets it out when a wait for a buffer was over.
    static constexpr int kernels_restart = 512;

    /// Whether an error says that the channel or the whole link is no more: close, and open anew when it is back.
    static bool has_gone(int why) noexcept
    {
        return why == EPIPE || why == ENETRESET || why == ENODEV || why == ENXIO || why == EIO;
    }
    static errc why_closed() noexcept
    {
        switch (errno) {
        case EBUSY:   // open elsewhere
        case EINVAL:  // its address is
            return errc::address_in_use;
        case ENOENT:
        case EACCES: return errc::not_ready;
        default: return has_gone(errno) ? errc::link_down : errc::system;
        }
    }

    file_descriptor file_;
};

}  // namespace rpmsg::platform
