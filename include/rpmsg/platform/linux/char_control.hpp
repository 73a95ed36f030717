#pragma once

#include <rpmsg/platform/linux/char_entries.hpp>
#include <rpmsg/platform/linux/char_ioctl.hpp>
#include <rpmsg/platform/linux/char_place.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/result.hpp>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rpmsg::platform {

/// The control device of one remote processor: finds it, tells it from its successor, and asks it.
///
/// @context One thread at a time.
class char_control {
public:
    /// @param place  Outlives it.
    explicit char_control(const char_place& place) noexcept : place_{place} {}

    /// What a look at the control device showed.
    enum class change : std::uint8_t { none, came, went, came_again };

    /// Looks whether the control device is there, and is the one that was there before.
    change look() noexcept
    {
        char_entry best;
        char_entry one;
        char_entries all{place_.root, char_folder::class_of};
        while (all.next(one))
            if (one.control() >= 0 && is_ours(one) && (best.entry.empty() || one.control() < best.control()))
                best = one;
        const auto id = best.entry.empty() ? 0 : identity(best);
        const auto before = std::exchange(id_, id);
        if (id == before)
            return change::none;
        control_ = best;
        if (id == 0)
            return change::went;
        if (home_.empty())
            home_ = short_text<256>{best.remote()};
        return before == 0 ? change::came : change::came_again;
    }

    /// Whether there was a control device at the last look.
    [[nodiscard]] bool is_there() const noexcept { return id_ != 0; }

protected:
    /// The first device in a folder that is what is wanted.
    template <typename Wanted>
    bool find(const char* folder, Wanted wanted, char_entry& out) const noexcept
    {
        for (char_entries all{place_.root, folder}; all.next(out);)
            if (wanted(out))
                return true;
        return false;
    }
    /// Tells one control device from the next that has its name: kernfs counts its inodes up.
    std::uint64_t identity(const char_entry& control) const noexcept
    {
        const auto folder = char_folder::open(place_.root, char_folder::class_of);
        struct ::stat about{};
        if (!folder || ::fstatat(folder->get(), control.entry.c_str(), &about, 0) != 0)
            return 0;
        return about.st_ino;
    }
    [[nodiscard]] bool is_on_bus(const char_entry& e) const noexcept { return e.bus() == control_.bus(); }

    /// Opens the control device for one request: kept open it would keep its number from the next one, and a
    /// request to one whose device has gone reaches freed memory of the kernel's.
    errc request(unsigned long what, const char_request& about) const noexcept
    {
        if (identity(control_) != id_)
            return errc::link_down;
        const auto folder = char_folder::open(place_.root, char_folder::nodes);
        const file_descriptor control{folder ? retried([&] {
            return ::openat(folder->get(), control_.entry.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY);
        })
                                             : -1};
        if (!control)
            return errno == ENOENT ? errc::not_ready : errc::system;
        return ask(control, what, about).error();
    }
    [[nodiscard]] bool put(const char* folder, const char* file, std::string_view text) const noexcept
    {
        const auto where = char_folder::open(place_.root, folder);
        const file_descriptor into{
            where ? retried([&] { return ::openat(where->get(), file, O_WRONLY | O_CLOEXEC); }) : -1};
        return into && retried([&] { return ::write(into.get(), text.data(), text.size()); }) ==
                           static_cast<::ssize_t>(text.size());
    }

    const char_place& place_;
    char_entry control_;    // at the last look
    std::uint64_t id_ = 0;  // 0: there is none

private:
    [[nodiscard]] bool is_ours(const char_entry& control) const noexcept
    {
        if (place_.on != nullptr)
            return control.is_on(place_.on);
        return home_.empty() || control.remote() == home_.view();
    }

    short_text<256> home_;  // which remote processor it was the first time
};

}  // namespace rpmsg::platform
