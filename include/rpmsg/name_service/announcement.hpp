#pragma once

#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/name.hpp>
#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/wire/announcement.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rpmsg {

/// What became of a channel of the peer.
/// @spec Linux include/linux/rpmsg/ns.h, enum rpmsg_ns_flags
enum class channel_news : std::uint8_t { came = 0, went = wire::announcement_went };

/// A channel of the peer came or went: a copy of the peer's message, so it stays as it is.
/// @spec Linux include/linux/rpmsg/ns.h, struct rpmsg_ns_msg
class announcement {
public:
    constexpr announcement() noexcept = default;
    explicit constexpr announcement(const wire::announcement& heard) noexcept : heard_{heard}
    {
        heard_.name.back() = '\0';
    }
    /// @param from  sizeof(wire::announcement) bytes that the peer may change; any alignment.
    explicit announcement(const std::byte* from) noexcept
        : heard_{policy::copy_once<wire::announcement>(from)}
    {
        heard_.name.back() = '\0';  // the peer may have filled all 32 bytes
    }

    /// At most 31 characters, as the peer wrote them: they may be unprintable.
    [[nodiscard]] constexpr std::string_view name() const noexcept
    {
        std::size_t length = 0;
        while (heard_.name[length] != '\0')
            ++length;
        return {heard_.name.data(), length};
    }
    /// The name with its terminator and whatever the peer left behind it.
    [[nodiscard]] constexpr const std::array<char, wire::name_size>& text() const noexcept
    {
        return heard_.name;
    }
    /// The peer's endpoint: open an endpoint towards it to talk.
    [[nodiscard]] constexpr rpmsg::address address() const noexcept
    {
        return rpmsg::address{heard_.addr.get()};
    }
    [[nodiscard]] constexpr channel_news news() const noexcept
    {
        return static_cast<channel_news>(heard_.flags.get() & wire::announcement_went);
    }

private:
    wire::announcement heard_{};
};

/// Writes the announcement that we send: the name zero-padded, all 40 bytes defined.
///
/// @param to  sizeof(wire::announcement) bytes, any alignment.
/// @spec Linux include/linux/rpmsg/ns.h, struct rpmsg_ns_msg
inline void announce(std::byte* to, name service, address endpoint, channel_news news) noexcept
{
    const auto* text = service.c_str();
    for (std::size_t i = 0; i != wire::name_size; ++i)
        to[i] = static_cast<std::byte>(*text != '\0' ? *text++ : '\0');
    wire::store(to + offsetof(wire::announcement, addr), endpoint.value());
    wire::store(to + offsetof(wire::announcement, flags), static_cast<std::uint32_t>(news));
}

}  // namespace rpmsg
