#pragma once

#include <rpmsg/name_service/address.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/wire/announcement.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sys/ioctl.h>

namespace rpmsg::platform {

/// What a control device is asked to make or release: the addresses and the name of an endpoint or channel.
///
/// Not <linux/rpmsg.h>: its requests for channels came with Linux 5.18, and toolchains are older than kernels.
/// @spec Linux include/uapi/linux/rpmsg.h, struct rpmsg_endpoint_info
struct char_request {
    std::array<char, wire::name_size> name{};  ///< Zero-terminated: at most 31 characters, more are cut.
    std::uint32_t source = wire::any_address;
    std::uint32_t destination = wire::any_address;

    constexpr char_request(std::string_view text, address from, address to) noexcept
        : source{from.value()},
          destination{to.value()}
    {
        text.copy(name.data(), name.size() - 1);
    }
};
static_assert(sizeof(char_request) == 40);

/// What /dev/rpmsg_ctrlN and /dev/rpmsgN can be asked for.
/// @spec Linux include/uapi/linux/rpmsg.h, RPMSG_CREATE_EPT_IOCTL
struct char_ioctl {
    static constexpr unsigned long create_endpoint = _IOW(0xb5, 1, char_request);  ///< Of a control device.
    static constexpr unsigned long destroy_endpoint = _IO(0xb5, 2);                ///< Of an endpoint's own.
    static constexpr unsigned long create_channel = _IOW(0xb5, 3, char_request);   ///< Of a control device.
    static constexpr unsigned long release_channel = _IOW(0xb5, 4, char_request);  ///< Of a control device.
};

/// Asks a control device.
///
/// @return errc::system; errno says why.
/// @context Thread. Linux announces a channel that has an address when it is made or released: that waits for
///          a buffer, up to 15 seconds, while the peer has all of them.
inline result<void> ask(const file_descriptor& control, unsigned long what,
                        const char_request& request) noexcept
{
    if (retried([&] { return ::ioctl(control.get(), what, &request); }) < 0)
        return errc::system;
    return {};
}

}  // namespace rpmsg::platform
