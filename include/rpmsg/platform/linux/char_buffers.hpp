#pragma once

#include <rpmsg/bus/link.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/wire/header.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace rpmsg::platform {

/// Memory for messages between a program and the kernel, each with room before it for a header.
///
/// As many as a ring has. They are taken from the heap when they are first wanted, and stay; of each only
/// the pages that were written are there. The one given back last is taken next.
///
/// @context One thread at a time.
class char_buffers {
public:
    static constexpr std::uint16_t count = 256;
    /// Bytes of the longest payload that a header can state: what is read into so much room is never cut.
    static constexpr std::size_t longest = 65535;

    /// Takes one.
    ///
    /// @return errc::full when all are taken, or there is no memory.
    result<std::uint16_t> take() noexcept
    {
        if (free_.count() != 0) {
            const auto id = free_.top();
            free_.pop();
            return id;
        }
        if (made_ == count)
            return errc::full;
        memory_[made_].reset(new (std::nothrow) std::byte[sizeof(wire::header) + longest]);
        if (!memory_[made_])
            return errc::full;
        return made_++;
    }
    /// Gives one back. @pre It is taken.
    void give(std::uint16_t id) noexcept { free_.push(id); }
    /// Its memory: a header, and `longest` bytes of payload. Aligned for any type. @pre It is taken.
    [[nodiscard]] std::byte* at(std::uint16_t id) const noexcept { return memory_[id].get(); }
    /// How many are taken.
    [[nodiscard]] std::uint16_t taken() const noexcept
    {
        return static_cast<std::uint16_t>(made_ - free_.count());
    }

private:
    parked_buffers<count> free_;
    std::array<std::unique_ptr<std::byte[]>, count> memory_{};  // NOLINT(modernize-avoid-c-arrays)
    std::uint16_t made_ = 0;
};

}  // namespace rpmsg::platform
