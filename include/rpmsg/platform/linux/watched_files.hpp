#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sys/epoll.h>

namespace rpmsg::platform {

/// Several files as one, which can be read when one of them can: what a caller's own epoll or poll takes.
///
/// @context Any thread.
class watched_files {
public:
    /// No file is watched, and nothing can be, when the system has no more: operator bool tells.
    watched_files() noexcept : epoll_{::epoll_create1(EPOLL_CLOEXEC)} {}

    [[nodiscard]] int fd() const noexcept { return epoll_.get(); }
    explicit operator bool() const noexcept { return static_cast<bool>(epoll_); }

    /// Watches a file from now on.
    ///
    /// @param file    Stays open until it is removed. @param name  What ready() calls it.
    /// @return errc::system: it cannot be waited for (EPERM), or is watched already (EEXIST).
    result<void> add(const file_descriptor& file, std::uint32_t name, std::uint32_t events = EPOLLIN) noexcept
    {
        ::epoll_event wanted{};
        wanted.events = events;
        wanted.data.u32 = name;
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, file.get(), &wanted) != 0)
            return errc::system;
        return {};
    }
    void remove(const file_descriptor& file) noexcept
    {
        if (file)
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, file.get(), nullptr);
    }

    /// The names of those that can be read now, as many as there is room for. Never waits.
    template <std::size_t Most>
    std::span<const std::uint32_t> ready(std::array<std::uint32_t, Most>& names) const noexcept
    {
        std::array<::epoll_event, Most> events{};
        const int found = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(Most), 0);
        const auto count = found > 0 ? static_cast<std::size_t>(found) : std::size_t{0};
        for (std::size_t i = 0; i < count; ++i)
            names[i] = events[i].data.u32;
        return std::span{names}.first(count);
    }

private:
    file_descriptor epoll_;
};

}  // namespace rpmsg::platform
