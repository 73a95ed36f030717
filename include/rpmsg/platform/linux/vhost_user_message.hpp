#pragma once

#include <rpmsg/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace rpmsg::platform::vhost_user {

/// What a guest asks of a device, by the numbers of the protocol. Others are answered with an error.
///
/// @spec Linux arch/um/drivers/vhost_user.h, enum vhost_user_request
enum class request : std::uint32_t {
    get_features = 1,
    set_features = 2,
    set_owner = 3,
    reset_owner = 4,
    set_mem_table = 5,
    set_vring_num = 8,
    set_vring_addr = 9,
    set_vring_base = 10,
    get_vring_base = 11,
    set_vring_kick = 12,
    set_vring_call = 13,
    set_vring_err = 14,
    get_protocol_features = 15,
    set_protocol_features = 16,
    get_queue_num = 17,
    set_vring_enable = 18,
    set_backend_req_fd = 21,
    vring_kick = 35,
};

/// What a device asks of a guest, on a socket of its own.
/// @spec Linux arch/um/drivers/vhost_user.h, enum vhost_user_slave_request
inline constexpr std::uint32_t backend_vring_call = 4;

/// Bits of features above those of virtio::feature, and of protocol features.
namespace bit {
inline constexpr std::uint64_t protocol_features = std::uint64_t{1} << 30U;
inline constexpr std::uint64_t version_1 = std::uint64_t{1} << 32U;
inline constexpr std::uint64_t reply_ack = 1U << 3U;              ///< Of protocol features.
inline constexpr std::uint64_t backend_req = 1U << 5U;            ///< The same.
inline constexpr std::uint64_t inband_notifications = 1U << 14U;  ///< The same.
}  // namespace bit

/// What stands before each message. The numbers are of the machine's own order: both ends are on it.
/// @spec Linux arch/um/drivers/vhost_user.h, struct vhost_user_header
struct header {
    std::uint32_t request;
    std::uint32_t flags;
    std::uint32_t size;  ///< Of what follows, in bytes.
};
static_assert(sizeof(header) == 12);

namespace flag {
inline constexpr std::uint32_t version_mask = 3;
inline constexpr std::uint32_t version = 1;
inline constexpr std::uint32_t reply = 4;
inline constexpr std::uint32_t need_reply = 8;
}  // namespace flag

/// A ring and a number: SET_VRING_NUM, BASE, ENABLE, and VRING_KICK.
/// @spec Linux arch/um/drivers/vhost_user.h, struct vhost_user_vring_state
struct vring_state {
    std::uint32_t index;
    std::uint32_t number;
};

/// Where the parts of a ring are, in the addresses of the guest's program.
/// @spec Linux arch/um/drivers/vhost_user.h, struct vhost_user_vring_addr
struct vring_addresses {
    std::uint32_t index;
    std::uint32_t flags;
    std::uint64_t descriptors;
    std::uint64_t used;
    std::uint64_t avail;
    std::uint64_t log;
};
static_assert(sizeof(vring_addresses) == 40);

/// A piece of the guest's memory. Its file comes beside it.
/// @spec Linux arch/um/drivers/vhost_user.h, struct vhost_user_mem_region
struct memory_region {
    std::uint64_t guest_address;  ///< As descriptors name it.
    std::uint64_t size;
    std::uint64_t user_address;  ///< As vring_addresses name it.
    std::uint64_t file_offset;
};
static_assert(sizeof(memory_region) == 32);

/// Pieces that a guest's memory may have.
inline constexpr std::size_t most_regions = 8;
/// Bytes of the longest message that a guest may send, behind its header.
inline constexpr std::size_t longest_body = 8 + most_regions * sizeof(memory_region);

/// A number whose bit 8 says that no file comes with it: SET_VRING_KICK, CALL and ERR.
namespace vring_fd {
inline constexpr std::uint64_t index_mask = 0xFF;
inline constexpr std::uint64_t none = 0x100;
}  // namespace vring_fd

/// What a request looks like: bytes behind the header, and files beside it.
struct shape {
    std::uint32_t least;  ///< Bytes.
    std::uint32_t most;
    std::uint32_t least_files;
    std::uint32_t most_files;
};

/// The shape of a request of this number.
///
/// @return errc::unsupported when it is none that we know.
[[nodiscard]] constexpr result<shape> shape_of(std::uint32_t number) noexcept
{
    constexpr std::uint32_t word = sizeof(std::uint64_t);
    constexpr std::uint32_t state = sizeof(vring_state);
    switch (static_cast<request>(number)) {
    case request::get_features:
    case request::set_owner:
    case request::reset_owner:
    case request::get_protocol_features:
    case request::get_queue_num: return shape{0, 0, 0, 0};
    case request::set_features:
    case request::set_protocol_features: return shape{word, word, 0, 0};
    case request::set_vring_num:
    case request::set_vring_base:
    case request::get_vring_base:
    case request::set_vring_enable:
    case request::vring_kick: return shape{state, state, 0, 0};
    case request::set_vring_addr: return shape{sizeof(vring_addresses), sizeof(vring_addresses), 0, 0};
    case request::set_vring_kick:
    case request::set_vring_call:
    case request::set_vring_err: return shape{word, word, 0, 1};
    case request::set_backend_req_fd: return shape{0, 0, 1, 1};
    // Some send all the room that they have for regions, others just those that there are.
    case request::set_mem_table: return shape{word + sizeof(memory_region), longest_body, 1, most_regions};
    }
    return errc::unsupported;
}

/// A request as it came, of the shape that it should have. What its numbers say is not looked at yet.
struct message {
    request what{};
    bool wants_answer = false;
    std::span<const std::byte> body;
    std::uint32_t files = 0;

    /// The body as a T. @pre It has that many bytes: shape_of() says so.
    template <typename T>
    [[nodiscard]] T as() const noexcept
    {
        static_assert(std::is_trivially_copyable_v<T>);
        T read{};
        std::memcpy(&read, body.data(), sizeof read);
        return read;
    }
};

/// Whether a header begins a message that we can take: before its body is read.
///
/// @return errc::malformed: another version, an answer where a request is due, or longer than any may be.
[[nodiscard]] constexpr errc check(const header& head) noexcept
{
    const bool is_request = (head.flags & (flag::version_mask | flag::reply)) == flag::version;
    return is_request && head.size <= longest_body ? errc{} : errc::malformed;
}

/// A whole message.
///
/// @return errc::unsupported: a request that we do not know; errc::malformed: not of its shape.
[[nodiscard]] inline result<message> parse(const header& head, std::span<const std::byte> body,
                                           std::uint32_t files) noexcept
{
    if (const auto why = check(head); why != errc{})
        return why;
    const auto wanted = shape_of(head.request);
    if (!wanted)
        return wanted.error();
    if (body.size() != head.size || body.size() < wanted->least || body.size() > wanted->most ||
        files < wanted->least_files || files > wanted->most_files)
        return errc::malformed;
    return message{.what = static_cast<request>(head.request),
                   .wants_answer = (head.flags & flag::need_reply) != 0,
                   .body = body,
                   .files = files};
}

/// The regions of a SET_MEM_TABLE, as many as it says.
struct memory_table {
    std::array<memory_region, most_regions> regions{};
    std::size_t count = 0;

    /// @return errc::malformed: not as many regions as files, or fewer bytes than it takes to tell of them.
    [[nodiscard]] static result<memory_table> read(const message& in) noexcept
    {
        std::uint32_t count = 0;
        std::memcpy(&count, in.body.data(), sizeof count);
        constexpr std::size_t head = 8;  // the count, and padding
        if (count == 0 || count > most_regions || count != in.files ||
            in.body.size() < head + count * sizeof(memory_region))
            return errc::malformed;
        memory_table table;
        table.count = count;
        std::memcpy(table.regions.data(), in.body.data() + head, count * sizeof(memory_region));
        return table;
    }
};

}  // namespace rpmsg::platform::vhost_user
