#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

#include <sys/socket.h>

namespace rpmsg::platform {

/// The files that come beside a message on an AF_UNIX socket: owned from the moment they are here, or they would
/// stay open when the message is refused.
///
/// @tparam Most  As many as are taken; the kernel closes those beyond the room, and says MSG_CTRUNC.
/// @context One thread at a time.
template <std::size_t Most>
class received_files {
    // By alignment there may be room for one more: so the number that came is looked at.
    static constexpr std::size_t control_bytes = CMSG_SPACE(Most * sizeof(int));

public:
    static constexpr std::size_t room = control_bytes / sizeof(int);

    /// Where recvmsg() puts them: to be given to a msghdr before the call.
    void expect(::msghdr& message) noexcept
    {
        message.msg_control = control_.data();
        message.msg_controllen = control_.size();
    }
    /// Takes over what came beside the message, behind those that are here already.
    void take(::msghdr& message) noexcept
    {
        for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
            if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
                continue;
            const std::size_t bytes = part->cmsg_len - CMSG_LEN(0);
            for (std::size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
                int number = -1;
                std::memcpy(&number, CMSG_DATA(part) + at, sizeof number);
                file_descriptor file{number};
                if (count_ < files_.size())
                    files_[count_++] = std::move(file);
                else
                    too_many_ = true;
            }
        }
        too_many_ = too_many_ || (message.msg_flags & MSG_CTRUNC) != 0;
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// Whether more came than there is room for; those are closed.
    [[nodiscard]] bool too_many() const noexcept { return too_many_; }
    /// @pre i < count()
    file_descriptor& operator[](std::size_t i) noexcept { return files_[i]; }

    /// Closes those that nobody moved away.
    void clear() noexcept
    {
        for (auto& file : files_)
            file.reset();
        count_ = 0;
        too_many_ = false;
    }

private:
    alignas(::cmsghdr) std::array<unsigned char, control_bytes> control_{};
    std::array<file_descriptor, room> files_;
    std::size_t count_ = 0;
    bool too_many_ = false;
};

}  // namespace rpmsg::platform
