#pragma once

#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/message.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/platform/linux/char_buffers.hpp>
#include <rpmsg/platform/linux/char_seat.hpp>
#include <rpmsg/platform/linux/char_sending.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/wire/header.hpp>

#include <cstddef>
#include <cstdint>

#include <sys/epoll.h>

namespace rpmsg::platform {

/// The part of a char_bus that reads messages and hands them to receivers.
///
/// @context One thread at a time.
class char_receiving : protected char_sending {
protected:
    using char_sending::char_sending;

    /// How many messages of one endpoint are taken before another has its turn.
    static constexpr int in_a_row = 16;

    [[nodiscard]] bool is_starved() const noexcept { return buffers_.taken() == char_buffers::count; }

    int handle(const ::epoll_event& event, int budget) noexcept
    {
        auto* const seat = static_cast<char_seat*>(event.data.ptr);
        if (seat == nullptr) {
            timer_fired();
            return 0;
        }
        int taken = 0;
        while ((event.events & EPOLLIN) != 0 && taken != in_a_row && taken != budget && seat->is_attached() &&
               !seat->has_reply && !stopped_ && receive(*seat))
            ++taken;
        if ((event.events & (EPOLLERR | EPOLLHUP)) != 0 && seat->is_attached() &&
            (taken == 0 || (event.events & EPOLLIN) == 0))
            seat->has_gone = look_due_ = true;
        return taken;
    }

    /// Takes one message and hands it to its receiver.
    ///
    /// @return Whether there was one.
    bool receive(char_seat& seat) noexcept
    {
        const auto id = buffers_.take();
        if (!id)
            return false;
        auto* const data = buffers_.at(*id);
        const auto length = seat.file.read({data + sizeof(wire::header), char_buffers::longest});
        if (!length) {
            buffers_.give(*id);
            if (length.error() != errc::empty)
                seat.has_gone = look_due_ = true;
            return false;
        }
        delivery d{{data, static_cast<std::uint32_t>(sizeof(wire::header) + *length), *id},
                   seat.destination.value(),
                   seat.source.value(),
                   {},
                   static_cast<std::uint32_t>(*length),
                   fault::none,
                   false};
        current_ = &seat;
        seat.owner->tell(*seat.owner, event_kind::message, event_word{d});
        current_ = nullptr;
        if (!d.held)
            buffers_.give(*id);
        if (seat.owner != nullptr && seat.closing)
            unlink(seat);
        if (d.refused != fault::none)
            report(d.refused);
        return true;
    }

    [[nodiscard]] keeper keeper_of_buffers() noexcept { return {this, hold, release}; }
    static std::uint32_t hold(void* owner) noexcept { return static_cast<char_receiving*>(owner)->epoch_; }
    static void release(void* owner, std::uint32_t /*epoch*/, std::uint16_t id,
                        std::uint32_t /*capacity*/) noexcept
    {
        static_cast<char_receiving*>(owner)->buffers_.give(id);
    }
};

}  // namespace rpmsg::platform
