#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/received_files.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/platform/linux/vhost_user_message.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace rpmsg::platform::vhost_user {

/// Sends one message whole, or not at all. Never waits, raises no SIGPIPE.
///
/// @param socket  Of a stream. @param body  At most longest_body bytes.
/// @return errc::full: its reader is slow; errc::system: nobody reads.
inline result<void> send_message(const file_descriptor& socket, std::uint32_t number, std::uint32_t flags,
                                 std::span<const std::byte> body) noexcept
{
    std::array<std::byte, sizeof(header) + longest_body> whole{};
    const header head{
        .request = number, .flags = flag::version | flags, .size = static_cast<std::uint32_t>(body.size())};
    std::memcpy(whole.data(), &head, sizeof head);
    if (!body.empty())
        std::memcpy(whole.data() + sizeof head, body.data(), body.size());
    const std::size_t bytes = sizeof head + body.size();
    const auto sent =
        retried([&] { return ::send(socket.get(), whole.data(), bytes, MSG_NOSIGNAL | MSG_DONTWAIT); });
    if (sent < 0)
        return errno == EAGAIN ? errc::full : errc::system;
    // The kernel takes so few bytes in one piece.
    return static_cast<std::size_t>(sent) == bytes ? result<void>{} : errc::system;
}

/// A guest's end of the protocol's socket: puts messages together from whatever pieces come.
///
/// @context One thread at a time. Never waits.
class peer_socket {
public:
    peer_socket() noexcept = default;
    /// @param connected  A stream; anything may come out of it.
    explicit peer_socket(file_descriptor connected) noexcept : socket_{std::move(connected)} {}

    [[nodiscard]] const file_descriptor& file() const noexcept { return socket_; }

    /// The next message, with its files, if all of it has come. Valid until the next call.
    ///
    /// @return errc::empty: not yet; errc::unsupported: one that we do not know, and passed over; errc::malformed or
    ///         errc::system: the guest is wrong or gone, and there is nothing to be read any more.
    result<message> next() noexcept
    {
        if (is_whole_)
            begin_anew();
        while (have_ < wanted()) {
            if (const auto why = read_some(); why != errc{})
                return why;
            if (have_ == sizeof(header) && check(head()) != errc{})
                return errc::malformed;
        }
        is_whole_ = true;
        if (files_.too_many())
            return errc::malformed;
        return parse(head(), body(), static_cast<std::uint32_t>(files_.count()));
    }

    /// Of the message that next() returned last.
    [[nodiscard]] header head() const noexcept
    {
        header out{};
        std::memcpy(&out, bytes_.data(), sizeof out);
        return out;
    }
    received_files<most_regions>& files() noexcept { return files_; }

private:
    [[nodiscard]] std::size_t wanted() const noexcept
    {
        return have_ < sizeof(header) ? sizeof(header) : sizeof(header) + head().size;
    }
    [[nodiscard]] std::span<const std::byte> body() const noexcept
    {
        return std::span{bytes_}.subspan(sizeof(header), head().size);
    }
    void begin_anew() noexcept
    {
        have_ = 0;
        is_whole_ = false;
        files_.clear();
    }
    /// No more than the message that is being read: files come beside the first byte of theirs.
    errc read_some() noexcept
    {
        ::iovec into{bytes_.data() + have_, wanted() - have_};
        ::msghdr message{};
        message.msg_iov = &into;
        message.msg_iovlen = 1;
        files_.expect(message);
        const auto got =
            retried([&] { return ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT); });
        if (got < 0)
            return errno == EAGAIN ? errc::empty : errc::system;
        files_.take(message);
        if (got == 0) {
            errno = ECONNRESET;
            return errc::system;
        }
        have_ += static_cast<std::size_t>(got);
        return errc{};
    }

    file_descriptor socket_;
    received_files<most_regions> files_;
    std::array<std::byte, sizeof(header) + longest_body> bytes_{};
    std::size_t have_ = 0;
    bool is_whole_ = false;
};

}  // namespace rpmsg::platform::vhost_user
