#pragma once

#include <rpmsg/bus/link.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/wire/header.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace rpmsg {

class rx_buffer;

/// How a message's buffer is kept beyond its receiver, for rx_buffer, which does not know the bus's type.
struct keeper {
    void* owner;                                  ///< The bus.
    std::uint32_t (*hold)(void* owner) noexcept;  ///< Returns the epoch.
    void (*release)(void* owner, std::uint32_t epoch, std::uint16_t id, std::uint32_t capacity) noexcept;
};

/// A message on its way to a receiver.
struct delivery {
    room in;
    std::uint32_t from;    ///< The sender's endpoint.
    std::uint32_t to;      ///< Ours.
    room reply;            ///< For the receiver's result, if it has one; nullptr once that is sent.
    std::uint32_t length;  ///< Of the payload.
    fault refused;         ///< Why the receiver's side refused it.
    bool held;             ///< By an rx_buffer.

    [[nodiscard]] std::span<const std::byte> payload() const noexcept
    {
        return {in.data + sizeof(wire::header), length};
    }
};

/// The payload of a message that is being received: valid until the receiver returns.
///
/// Only a message makes one, so a receiver can return it as its reply and nothing dangles. A range of bytes,
/// and so a std::span<const std::byte> wherever one is asked for.
/// The bytes are the peer's memory: it may still change them.
class payload_view {
public:
    [[nodiscard]] constexpr const std::byte* data() const noexcept { return bytes_.data(); }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return bytes_.size(); }
    [[nodiscard]] constexpr bool empty() const noexcept { return bytes_.empty(); }
    [[nodiscard]] constexpr auto begin() const noexcept { return bytes_.begin(); }
    [[nodiscard]] constexpr auto end() const noexcept { return bytes_.end(); }
    /// @pre i < size()
    [[nodiscard]] constexpr std::byte operator[](std::size_t i) const noexcept { return bytes_[i]; }

    /// The first `count` bytes, or all of them if there are fewer.
    [[nodiscard]] constexpr payload_view first(std::size_t count) const noexcept
    {
        return payload_view{bytes_.first(count < size() ? count : size())};
    }
    /// What follows the first `count` bytes.
    [[nodiscard]] constexpr payload_view after(std::size_t count) const noexcept
    {
        return payload_view{bytes_.subspan(count < size() ? count : size())};
    }

private:
    friend class message;
    explicit constexpr payload_view(std::span<const std::byte> bytes) noexcept : bytes_{bytes} {}
    std::span<const std::byte> bytes_;
};

/// A message that is being received. Valid until the receiver returns; hold() keeps its buffer longer.
class message {
public:
    constexpr message(delivery& d, const keeper& k) noexcept : delivery_{&d}, keeper_{k} {}

    /// The message's bytes, without the header.
    [[nodiscard]] payload_view payload() const noexcept { return payload_view{delivery_->payload()}; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return delivery_->length; }
    /// The sender's endpoint: a result goes there.
    [[nodiscard]] constexpr address source() const noexcept { return address{delivery_->from}; }
    /// Ours.
    [[nodiscard]] constexpr address destination() const noexcept { return address{delivery_->to}; }
    /// Keeps the buffer beyond the receiver's return, until the rx_buffer is destroyed. Once a message.
    [[nodiscard]] inline rx_buffer hold() const noexcept;

private:
    delivery* delivery_;
    keeper keeper_;
};

/// A received buffer that is ours until it is destroyed; then it goes back to the peer.
///
/// The peer can send no more than it has buffers: one that is held is one less. When the link is lost
/// meanwhile, destruction does nothing.
///
/// @context Read and destroy it from any context that may call the bus; it must not outlive the bus.
class rx_buffer {
public:
    constexpr rx_buffer() noexcept = default;
    rx_buffer(delivery& d, const keeper& k) noexcept
    {
        if (d.held)
            return;
        d.held = true;
        payload_ = d.payload();
        source_ = address{d.from};
        bus_ = k.owner;
        release_ = k.release;
        epoch_ = k.hold(k.owner);
        capacity_ = d.in.capacity;
        id_ = d.in.id;
    }
    rx_buffer(rx_buffer&& other) noexcept
        : payload_{std::exchange(other.payload_, {})},
          source_{other.source_},
          bus_{std::exchange(other.bus_, nullptr)},
          release_{other.release_},
          epoch_{other.epoch_},
          capacity_{other.capacity_},
          id_{other.id_}
    {}
    rx_buffer& operator=(rx_buffer&& other) noexcept
    {
        if (this != &other) {
            release();
            payload_ = std::exchange(other.payload_, {});
            source_ = other.source_;
            bus_ = std::exchange(other.bus_, nullptr);
            release_ = other.release_;
            epoch_ = other.epoch_;
            capacity_ = other.capacity_;
            id_ = other.id_;
        }
        return *this;
    }
    ~rx_buffer() { release(); }

    /// Whether there is a buffer.
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return bus_ != nullptr; }
    /// The message's bytes, in the peer's memory: it should not change them, but it can.
    [[nodiscard]] constexpr std::span<const std::byte> payload() const noexcept { return payload_; }
    /// The sender's endpoint.
    [[nodiscard]] constexpr address source() const noexcept { return source_; }

    /// The payload as a T in place, or nullptr if it is no T by size or alignment.
    template <typename T>
        requires std::is_trivially_copyable_v<T>
    [[nodiscard]] const T* as() const noexcept
    {
        if (payload_.size() != sizeof(T) ||
            reinterpret_cast<std::uintptr_t>(payload_.data()) % alignof(T) != 0)
            return nullptr;
        return reinterpret_cast<const T*>(payload_.data());
    }

    /// Gives the buffer back now.
    void release() noexcept
    {
        if (bus_ != nullptr)
            release_(std::exchange(bus_, nullptr), epoch_, id_, capacity_);
        payload_ = {};
    }

private:
    std::span<const std::byte> payload_;
    address source_;
    void* bus_ = nullptr;
    void (*release_)(void*, std::uint32_t, std::uint16_t, std::uint32_t) noexcept = nullptr;
    std::uint32_t epoch_ = 0;
    std::uint32_t capacity_ = 0;
    std::uint16_t id_ = 0;
};

inline rx_buffer message::hold() const noexcept { return rx_buffer{*delivery_, keeper_}; }

}  // namespace rpmsg
