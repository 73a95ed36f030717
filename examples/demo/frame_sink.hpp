#pragma once

#include "channels.hpp"

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace demo {

/// Keeps the frames of a burst where they are, looks at some of them together, and gives those back.
///
/// A frame is its number and what fill() makes of it.
class frame_sink {
public:
    /// @return Whether it is time to give some back.
    bool keep(rpmsg::rx_buffer frame) noexcept
    {
        held_[count_++] = std::move(frame);
        return count_ == held_.size();
    }

    /// Looks at what is held, and lets go of it: one doorbell for all.
    template <typename Bus>
    void give_back(Bus& bus) noexcept
    {
        const rpmsg::batch together{bus};
        for (auto& frame : std::span{held_}.first(std::exchange(count_, 0))) {
            look_at(frame.payload());
            frame.release();
        }
    }

    [[nodiscard]] std::uint32_t frames() const noexcept { return frames_; }
    [[nodiscard]] std::uint32_t wrong() const noexcept { return wrong_; }

private:
    void look_at(std::span<const std::byte> frame) noexcept
    {
        ++frames_;
        std::uint32_t number = 0;
        if (frame.size() < sizeof number) {
            ++wrong_;
            return;
        }
        std::memcpy(&number, frame.data(), sizeof number);
        // The first one may have any number: a device that was started again begins in the middle.
        const bool in_order = frames_ == 1 || number == next_;
        if (!in_order || !is_intact(frame.subspan(sizeof number), number))
            ++wrong_;
        next_ = number + 1;
    }

    std::array<rpmsg::rx_buffer, 16> held_;
    std::size_t count_ = 0;
    std::uint32_t frames_ = 0;
    std::uint32_t wrong_ = 0;
    std::uint32_t next_ = 0;
};

}  // namespace demo
