#pragma once

#include <rpmsg/rpmsg.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

/// What OpenAMP's echo demos say to each other: so that each end here would talk to the other one there.
namespace openamp_demo {

inline constexpr rpmsg::name service{"rpmsg-openamp-demo-channel"};
inline constexpr std::uint32_t shutdown_message = 0xEF56'A55A;
inline constexpr std::byte mark{0xA5};

/// What stands before the marks, as a 64-bit machine has it.
struct head {
    std::uint64_t num;
    std::uint64_t size;
};

/// Writes a message of `size` marks. @return Its length, or 0 if there is no room for it.
inline std::size_t write(std::span<std::byte> where, std::uint64_t num, std::uint64_t size)
{
    const head h{num, size};
    if (where.size() < sizeof h + size)
        return 0;
    std::memcpy(where.data(), &h, sizeof h);
    std::ranges::fill(where.subspan(sizeof h, size), mark);
    return sizeof h + size;
}

/// Whether a message came back as it was sent.
inline bool is_sound(std::span<const std::byte> in, std::uint64_t num)
{
    head h{};
    if (in.size() < sizeof h)
        return false;
    std::memcpy(&h, in.data(), sizeof h);
    const auto data = in.subspan(sizeof h);
    return h.num == num && h.size == data.size() && std::ranges::count(data, mark) == std::ssize(data);
}

/// Whether a message asks the remote to end; one that is too short to say so does not.
inline bool is_shutdown(std::span<const std::byte> in)
{
    std::uint32_t first = 0;
    if (in.size() >= sizeof first)
        std::memcpy(&first, in.data(), sizeof first);
    return first == shutdown_message;
}

}  // namespace openamp_demo
