#pragma once

#include <rpmsg/platform/linux/eventfd.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/guest_memory.hpp>
#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/platform/linux/vhost_user_message.hpp>
#include <rpmsg/platform/linux/vhost_user_socket.hpp>
#include <rpmsg/platform/linux/watched_files.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/transport.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/vring.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <utility>

#include <sys/socket.h>

namespace rpmsg::platform::vhost_user {

/// The two rings of a guest, as far as it has told of them, and how both sides ring: what the session and the bus share.
///
/// Nothing says DRIVER_OK to a device of an RPMsg guest: the rings are up when both have a place, are enabled, and the
/// guest has rung for one of them. Whatever changes one of these takes them down.
///
/// @context Any thread.
class rings {
public:
    static constexpr std::uint32_t count = 2;
    /// What watched_files calls the eventfd of ring 0; the next number is that of ring 1.
    static constexpr std::uint32_t first_kick = 16;

    /// @param files  Where the guest's doorbells are watched.
    explicit rings(watched_files& files) noexcept : files_{files} {}

    // What a guest says. A request that is refused changes nothing.

    void agree_on(std::uint32_t features) noexcept
    {
        const std::lock_guard hold{mutex_};
        features_ = features;
    }
    void ring_inband(bool inband) noexcept
    {
        const std::lock_guard hold{mutex_};
        go_down();
        inband_ = inband;
    }
    void call_over(file_descriptor socket) noexcept
    {
        const std::lock_guard hold{mutex_};
        backend_ = std::move(socket);
    }
    /// @return errc::bad_ring_size: no power of two up to 32768.
    errc size(std::uint32_t index, std::uint32_t num) noexcept
    {
        if (!std::has_single_bit(num) || num > 32768)
            return errc::bad_ring_size;
        const std::lock_guard hold{mutex_};
        go_down();
        rings_[index].num = num;
        rings_[index].is_placed = false;
        return errc{};
    }
    /// @param avail  From the descriptors, as `used`.
    /// @return errc::protocol: its size is not known yet; errc::misaligned: its parts do not lie one behind the other as
    ///         in a vring of one piece.
    errc place(std::uint32_t index, std::uint64_t address, std::uint64_t avail, std::uint64_t used) noexcept
    {
        const std::lock_guard hold{mutex_};
        auto& one = rings_[index];
        if (one.num == 0)
            return errc::protocol;
        for (std::uint32_t align = 4; vring::aligns_rings(align); align *= 2) {
            const auto at = vring::layout_of(one.num, align);
            if (at.avail != avail || at.used != used)
                continue;
            go_down();
            one.where = {.address = address, .num = one.num, .align = align, .notify_id = index};
            one.is_placed = true;
            one.was_kicked = false;
            return errc{};
        }
        return errc::misaligned;
    }
    void enable(std::uint32_t index, bool on) noexcept
    {
        const std::lock_guard hold{mutex_};
        auto& one = rings_[index];
        if (one.is_enabled == on)
            return;
        go_down();
        one.is_enabled = on;
        if (!on)
            one.was_kicked = false;
        perhaps_go_up();  // a doorbell may have overtaken the request
    }
    void enable_all() noexcept
    {
        for (std::uint32_t index = 0; index < count; ++index)
            enable(index, true);
    }
    /// @param is_stream  A socket, as user-mode Linux has it; else an eventfd.
    errc call_by(std::uint32_t index, file_descriptor file, bool is_stream) noexcept
    {
        const std::lock_guard hold{mutex_};
        rings_[index].call = std::move(file);
        rings_[index].call_is_stream = is_stream;
        return errc{};
    }
    /// @return errc::system: it cannot be watched.
    errc kick_by(std::uint32_t index, file_descriptor file) noexcept
    {
        const std::lock_guard hold{mutex_};
        if (const auto watched = files_.add(file, first_kick + index); !watched)
            return watched.error();
        go_down();
        files_.remove(rings_[index].kick);
        rings_[index].kick = std::move(file);
        rings_[index].was_kicked = false;
        return errc{};  // up with the next ring
    }
    /// The guest rang for a ring.
    void kicked(std::uint32_t index) noexcept
    {
        const std::lock_guard hold{mutex_};
        rang(index, 1);
    }
    /// The file of a ring can be read: takes the rings back. @return Whether there were any.
    bool take_kick(std::uint32_t index) noexcept
    {
        const std::lock_guard hold{mutex_};
        const auto times = eventfd_bell{rings_[index].kick}.take_all();
        if (times == 0)
            return false;
        rang(index, times);
        return true;
    }
    /// The guest takes a ring back. @return How far we are in it, as its own used.idx says.
    std::uint32_t stop(std::uint32_t index, const guest_memory& memory) noexcept
    {
        const std::lock_guard hold{mutex_};
        go_down();
        auto& one = rings_[index];
        files_.remove(one.kick);
        one.kick.reset();
        one.was_kicked = false;
        if (!one.is_placed || memory.offered() == nullptr)
            return 0;
        const auto at = vring::layout_of(one.where.num, one.where.align);
        auto* const used = memory.offered()->to_local(one.where.address + at.used, sizeof(wire::used));
        return used != nullptr && reinterpret_cast<std::uintptr_t>(used) % alignof(wire::used) == 0
                   ? reinterpret_cast<const wire::used*>(used)->idx.read_once()
                   : 0U;
    }
    /// Where they are is no longer so: the features or the memory are others. Doorbells stay.
    void forget() noexcept
    {
        const std::lock_guard hold{mutex_};
        go_down();
        for (auto& one : rings_) {
            one.is_placed = false;
            one.was_kicked = false;
        }
    }
    /// The guest has gone.
    void clear() noexcept
    {
        const std::lock_guard hold{mutex_};
        go_down();
        for (auto& one : rings_) {
            files_.remove(one.kick);
            one = ring{};
        }
        backend_.reset();
        inband_ = false;
        features_ = 0;
    }

    // What the bus asks

    /// 0 while the rings are down; another number each time that they are up.
    [[nodiscard]] std::uint32_t epoch() const noexcept
    {
        // Pairs with the release in perhaps_go_up(): what the guest said before is what where() says.
        return epoch_.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint32_t features() const noexcept
    {
        const std::lock_guard hold{mutex_};
        return features_;
    }
    [[nodiscard]] virtio::ring_place where(policy::vring_id which) const noexcept
    {
        const std::lock_guard hold{mutex_};
        return rings_[static_cast<std::size_t>(which)].where;
    }
    /// Wakes the guest. A call that it is too slow to read is one that it has not heard yet: nothing is lost.
    void call(policy::vring_id which) noexcept
    {
        const int before = errno;
        const std::lock_guard hold{mutex_};
        auto& one = rings_[static_cast<std::size_t>(which)];
        if (inband_) {
            const vring_state state{.index = static_cast<std::uint32_t>(which), .number = 0};
            static_cast<void>(
                send_message(backend_, backend_vring_call, 0, std::as_bytes(std::span{&state, 1})));
        } else if (one.call_is_stream) {
            const std::uint64_t once = 1;
            static_cast<void>(retried(
                [&] { return ::send(one.call.get(), &once, sizeof once, MSG_NOSIGNAL | MSG_DONTWAIT); }));
        } else {
            eventfd_doorbell{one.call}.ring();
        }
        ++calls_;
        errno = before;
    }
    /// Doorbells so far: the guest's, and ours.
    [[nodiscard]] std::uint64_t kicks() const noexcept
    {
        const std::lock_guard hold{mutex_};
        return kicks_;
    }
    [[nodiscard]] std::uint64_t calls() const noexcept
    {
        const std::lock_guard hold{mutex_};
        return calls_;
    }

private:
    struct ring {
        file_descriptor kick;
        file_descriptor call;
        virtio::ring_place where;
        std::uint32_t num = 0;
        bool call_is_stream = false;
        bool is_placed = false;
        bool is_enabled = false;
        bool was_kicked = false;
    };

    // The mutex is held.

    void rang(std::uint32_t index, std::uint64_t times) noexcept
    {
        kicks_ += times;
        rings_[index].was_kicked = true;
        perhaps_go_up();
    }
    void perhaps_go_up() noexcept
    {
        if (epoch_.load(std::memory_order_relaxed) != 0)
            return;
        bool was_kicked = false;
        for (const auto& one : rings_) {
            if (!one.is_placed || !one.is_enabled || (!inband_ && !one.kick))
                return;
            was_kicked = was_kicked || one.was_kicked;
        }
        if (!was_kicked)
            return;
        if (++times_up_ == 0)
            ++times_up_;
        epoch_.store(times_up_, std::memory_order_release);  // pairs with the acquire in epoch()
    }
    void go_down() noexcept { epoch_.store(0, std::memory_order_relaxed); }

    watched_files& files_;
    mutable std::mutex mutex_;
    std::array<ring, count> rings_;
    file_descriptor backend_;
    std::uint32_t features_ = 0;
    bool inband_ = false;
    std::uint32_t times_up_ = 0;
    std::atomic<std::uint32_t> epoch_{0};
    std::uint64_t kicks_ = 0;
    std::uint64_t calls_ = 0;
};

}  // namespace rpmsg::platform::vhost_user
