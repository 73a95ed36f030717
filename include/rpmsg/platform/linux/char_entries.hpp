#pragma once

#include <rpmsg/name_service/address.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/result.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace rpmsg::platform {

/// A short text in place: a name of sysfs, or a path of it. What does not fit is cut.
template <std::size_t Size>
class short_text {
public:
    constexpr short_text() noexcept = default;
    explicit constexpr short_text(std::string_view text) noexcept : length_{text.copy(text_.data(), Size - 1)}
    {}

    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text_.data(), length_}; }
    /// Zero-terminated.
    [[nodiscard]] constexpr const char* c_str() const noexcept { return text_.data(); }
    [[nodiscard]] constexpr bool empty() const noexcept { return length_ == 0; }

private:
    std::array<char, Size> text_{};
    std::size_t length_ = 0;
};

/// Where the kernel shows its RPMsg devices, below a root that is "" but in tests.
struct char_folder {
    static constexpr const char* class_of = "/sys/class/rpmsg";        ///< rpmsg_ctrlN, rpmsgN.
    static constexpr const char* channels = "/sys/bus/rpmsg/devices";  ///< virtio0.NAME.SOURCE.DESTINATION
    static constexpr const char* driver =
        "/sys/bus/rpmsg/drivers/rpmsg_chrdev";    ///< Makes nodes of channels.
    static constexpr const char* nodes = "/dev";  ///< rpmsg_ctrlN, rpmsgN.

    /// Opens one of them.
    ///
    /// @return errc::system: ENOENT when the kernel has none.
    static result<file_descriptor> open(const char* root, const char* which) noexcept
    {
        std::array<char, 512> path{};
        const int length = std::snprintf(path.data(), path.size(), "%s%s", root, which);
        if (length < 0 || static_cast<std::size_t>(length) >= path.size()) {
            errno = ENAMETOOLONG;
            return errc::system;
        }
        file_descriptor folder{
            retried([&] { return ::open(path.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); })};
        if (!folder)
            return errc::system;
        return folder;
    }
};

/// One RPMsg device of the kernel: a control device, a node or a channel.
struct char_entry {
    short_text<96> entry;   ///< As its folder lists it: rpmsg_ctrl0, rpmsg3, virtio0.rpmsg-raw.-1.1024.
    short_text<256> path;   ///< Where it is in /sys/devices.
    short_text<32> name;    ///< The channel's or endpoint's; a control device has none.
    address source;         ///< Ours; any where the kernel chose one for an endpoint: it does not tell.
    address destination;    ///< The peer's.
    short_text<32> driver;  ///< Of a channel: what it is bound to, if anything.

    /// The number behind a prefix, or -1: number("rpmsg") of rpmsg3 is 3.
    [[nodiscard]] int number(std::string_view prefix) const noexcept
    {
        const auto text = entry.view();
        if (text.size() <= prefix.size() || text.size() > prefix.size() + 7 || !text.starts_with(prefix) ||
            text.substr(prefix.size()).find_first_not_of("0123456789") != npos)
            return -1;
        return std::atoi(entry.c_str() + prefix.size());
    }
    [[nodiscard]] int node() const noexcept { return number("rpmsg"); }
    [[nodiscard]] int control() const noexcept { return number("rpmsg_ctrl"); }

    /// Whether a part of its path is this: "remoteproc0", "virtio1", "rpmsg_ctrl0".
    [[nodiscard]] bool is_on(std::string_view part) const noexcept { return at(path.view(), part) != npos; }
    /// The virtio device that it belongs to: its path up to virtioN. Another one after a restart.
    [[nodiscard]] std::string_view bus() const noexcept { return path.view().substr(0, end_of("virtio")); }
    /// What stays the same over restarts: the path up to remoteprocN, or up to what virtioN is in.
    [[nodiscard]] std::string_view remote() const noexcept
    {
        if (const auto end = end_of("remoteproc"); end != npos)
            return path.view().substr(0, end);
        const auto whole = bus();
        return whole.substr(0, whole.rfind('/') == npos ? 0 : whole.rfind('/'));
    }

private:
    static constexpr auto npos = std::string_view::npos;

    /// Where a part of a path begins.
    static std::size_t at(std::string_view path, std::string_view part) noexcept
    {
        for (std::size_t from = 0; !part.empty() && (from = path.find(part, from)) != npos; ++from) {
            const auto end = from + part.size();
            if ((from == 0 || path[from - 1] == '/') && (end == path.size() || path[end] == '/'))
                return from;
        }
        return npos;
    }
    /// Where the first part ends that is this word and a number.
    [[nodiscard]] std::size_t end_of(std::string_view word) const noexcept
    {
        const auto text = path.view();
        for (std::size_t from = 0; (from = text.find(word, from)) != npos; ++from) {
            const auto digits = from + word.size();
            const auto end = std::min(text.find_first_not_of("0123456789", digits), text.size());
            if ((from == 0 || text[from - 1] == '/') && end != digits &&
                (end == text.size() || text[end] == '/'))
                return end;
        }
        return npos;
    }
};

/// Goes through the RPMsg devices in one folder of sysfs. What goes away meanwhile is left out.
///
/// @context Thread. Reads files of sysfs, a few for each device; never waits for the peer.
class char_entries {
public:
    /// @param which  char_folder::class_of or char_folder::channels; when it is not there, there are none.
    char_entries(const char* root, const char* which) noexcept
    {
        if (auto folder = char_folder::open(root, which)) {
            folder_.reset(::fdopendir(folder->get()));
            if (folder_)
                static_cast<void>(folder->release());  // the stream closes it
        }
    }

    /// The next one.
    ///
    /// @return Whether there was one.
    bool next(char_entry& out) noexcept
    {
        while (folder_) {
            const auto* const found = ::readdir(folder_.get());
            if (found == nullptr)
                return false;
            if (found->d_name[0] != '.' && read(found->d_name, out))
                return true;
        }
        return false;
    }

private:
    struct closes {
        void operator()(::DIR* folder) const noexcept { ::closedir(folder); }
    };

    bool read(const char* entry, char_entry& out) noexcept
    {
        out = {};
        out.entry = short_text<96>{entry};
        out.path = link<256>(out.entry.c_str());
        auto devices = out.path.view();
        if (const auto at = devices.find("devices/"); at != std::string_view::npos)
            out.path = short_text<256>{devices.substr(at + 8)};
        if (out.control() >= 0)
            return true;
        short_text<32> number;
        if (!text_of(entry, "name", out.name) || !text_of(entry, "src", number))
            return false;
        out.source = address_in(number);
        if (!text_of(entry, "dst", number))
            return false;
        out.destination = address_in(number);
        std::array<char, 128> path{};
        std::snprintf(path.data(), path.size(), "%s/driver", entry);
        const auto to = link<128>(path.data());
        out.driver = short_text<32>{to.view().substr(to.view().rfind('/') + 1)};
        return true;
    }
    template <std::size_t Size>
    [[nodiscard]] short_text<Size> link(const char* path) const noexcept
    {
        std::array<char, Size> text{};
        const auto length = ::readlinkat(::dirfd(folder_.get()), path, text.data(), text.size());
        return short_text<Size>{{text.data(), static_cast<std::size_t>(std::max<::ssize_t>(length, 0))}};
    }
    bool text_of(const char* entry, const char* what, short_text<32>& out) const noexcept
    {
        std::array<char, 128> path{};
        std::snprintf(path.data(), path.size(), "%s/%s", entry, what);
        const file_descriptor file{
            retried([&] { return ::openat(::dirfd(folder_.get()), path.data(), O_RDONLY | O_CLOEXEC); })};
        std::array<char, 40> text{};
        const auto length = file ? retried([&] { return ::read(file.get(), text.data(), text.size()); }) : -1;
        if (length < 0)
            return false;
        std::string_view line{text.data(), static_cast<std::size_t>(length)};
        out = short_text<32>{line.substr(0, line.find('\n'))};
        return true;
    }
    /// Linux writes those of nodes as signed decimals and those of channels as hexadecimals: -1, 0xffffffff.
    static address address_in(const short_text<32>& text) noexcept
    {
        return address{static_cast<std::uint32_t>(std::strtoll(text.c_str(), nullptr, 0))};
    }

    std::unique_ptr<::DIR, closes> folder_;
};

}  // namespace rpmsg::platform
