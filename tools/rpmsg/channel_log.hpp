#pragma once

#include "output.hpp"

#include <rpmsg/name_service/address.hpp>
#include <rpmsg/platform/fmt.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// Lines to be said soon: a bus calls its observers where nothing may be thrown, and standard output may be closed.
class notebook {
public:
    template <typename... Arguments>
    void note(fmt::format_string<Arguments...> text, Arguments&&... arguments)
    {
        lines_.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
    }
    void say_all()
    {
        for (const auto& line : std::exchange(lines_, {}))
            say("{}", line);
        flush_output();
    }

private:
    std::vector<std::string> lines_;
};

/// What there is to tell of one channel that is served.
class channel_log {
public:
    using hook = std::function<void(rpmsg::address)>;

    /// @param local  Where the channel is served, or any.
    channel_log(std::string name, rpmsg::address local, notebook& notes)
        : name_{std::move(name)},
          local_{local},
          notes_{notes}
    {}
    channel_log(const channel_log&) = delete;
    channel_log& operator=(const channel_log&) = delete;
    ~channel_log() = default;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] rpmsg::address local() const noexcept { return local_; }
    [[nodiscard]] notebook& notes() noexcept { return notes_; }
    void took(std::size_t bytes) noexcept { in_.count(bytes); }
    void sent(std::size_t bytes) noexcept { out_.count(bytes); }

    void tell_bound(rpmsg::address peer)
    {
        in_ = out_ = {};
        notes_.note("{}: {} came", name_, peer);
    }
    void tell_unbound(rpmsg::address peer)
    {
        notes_.note("{}: {} has gone; {} messages of {} bytes in all were taken, {} of {} sent", name_, peer,
                    in_.messages, in_.bytes, out_.messages, out_.bytes);
    }

private:
    struct traffic {
        std::uint64_t messages = 0;
        std::uint64_t bytes = 0;

        void count(std::size_t of) noexcept
        {
            ++messages;
            bytes += of;
        }
    };

    std::string name_;
    rpmsg::address local_;
    notebook& notes_;
    traffic in_;  ///< Of whoever uses the channel now.
    traffic out_;
};

}  // namespace tool
