#pragma once

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/guest_memory.hpp>
#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/vhost_user_rings.hpp>
#include <rpmsg/platform/linux/vhost_user_service.hpp>
#include <rpmsg/platform/linux/vhost_user_session.hpp>
#include <rpmsg/platform/linux/waiters.hpp>
#include <rpmsg/policy/address_map.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/policy/ring_size.hpp>
#include <rpmsg/policy/wait.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/virtio/transport.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace rpmsg::platform {

/// The transport of a device whose driver is a Linux guest: the rings are where it said over the socket.
///
/// @context As the bus.
class vhost_user_transport {
public:
    vhost_user_transport(vhost_user::rings& shared, guest_memory& memory) noexcept
        : rings_{&shared},
          memory_{&memory}
    {}

    template <typename Barriers>
    [[nodiscard]] std::uint8_t status(Barriers& /*barriers*/) noexcept
    {
        seen_ = rings_->epoch();
        if (seen_ == 0)
            return virtio::status::reset;
        return seen_ == refused_ ? virtio::status::driver_ok | virtio::status::needs_reset
                                 : virtio::status::driver_ok;
    }
    template <typename Barriers>
    [[nodiscard]] std::uint32_t accepted(Barriers& /*barriers*/) const noexcept
    {
        return rings_->features();
    }
    /// Where it is, and from now on addresses are those of the memory that it is in.
    template <typename Barriers>
    [[nodiscard]] virtio::ring_place ring(Barriers& /*barriers*/, policy::vring_id which) const noexcept
    {
        memory_->attach();
        return rings_->where(which);
    }
    template <typename Barriers>
    [[nodiscard]] std::uint32_t ring_mark(Barriers& /*barriers*/, policy::vring_id /*which*/) const noexcept
    {
        return rings_->epoch();
    }
    /// There is no word for it to a guest: the link waits until the guest sets up its rings again (unbind and bind).
    template <typename Barriers>
    void ask_for_reset(Barriers& /*barriers*/) noexcept
    {
        refused_ = seen_;
    }

private:
    vhost_user::rings* rings_;
    guest_memory* memory_;
    std::uint32_t seen_ = 0;
    std::uint32_t refused_ = 0;
};
static_assert(virtio::device_transport<vhost_user_transport, policy::smp>);

/// Wakes the guest. One system call a ring, and an interrupt in the guest.
///
/// @context Any thread. A guest that does not read does not stop it.
class vhost_user_doorbell : public policy::doorbell_defaults {
public:
    static constexpr bool isr_safe = false;
    static constexpr bool per_queue_channel = true;

    /// Rings nobody.
    constexpr vhost_user_doorbell() noexcept = default;
    explicit constexpr vhost_user_doorbell(vhost_user::rings& shared) noexcept : rings_{&shared} {}

    void ring(policy::vring_id which) noexcept
    {
        if (rings_ != nullptr)
            rings_->call(which);
    }

private:
    vhost_user::rings* rings_ = nullptr;
};
static_assert(policy::doorbell<vhost_user_doorbell>);

/// The memory that a guest shares, in the addresses that its descriptors have.
class guest_map {
public:
    /// A map of nothing.
    constexpr guest_map() noexcept = default;
    explicit constexpr guest_map(guest_memory& memory) noexcept : memory_{&memory} {}

    [[nodiscard]] std::byte* to_local(std::uint64_t address, std::size_t bytes) const noexcept
    {
        return memory_ != nullptr ? memory_->to_local(address, bytes) : nullptr;
    }
    [[nodiscard]] std::uint64_t to_peer(const std::byte* local) const noexcept
    {
        return memory_ != nullptr ? memory_->to_guest(local) : 0;
    }
    void hold(std::uint32_t epoch) noexcept
    {
        if (memory_ != nullptr)
            memory_->hold(epoch);
    }
    void drop(std::uint32_t epoch) noexcept
    {
        if (memory_ != nullptr)
            memory_->drop(epoch);
    }

private:
    guest_memory* memory_ = nullptr;
};
static_assert(policy::holding_address_map<guest_map>);

/// What a process is as the remote processor of a Linux guest. For a bus that several threads use: threaded.
struct vhost_user_board : policy::board_defaults {
    using doorbell = vhost_user_doorbell;
    using coherence = policy::smp;
    using address_map = guest_map;
    using wait = shared_wait<vhost_user::service_bell>;
    using clock = monotonic_clock;
    using ring = policy::ring_up_to<256>;

    static constexpr std::size_t address_slots = 64;
    static constexpr std::size_t withdrawals = 16;
    static constexpr std::size_t remembered_announcements = 16;
    static constexpr auto inbound = policy::inbound::quiet_while_draining;
};
static_assert(policy::board<vhost_user_board>);

/// The device's end of a link whose driver is a Linux guest, over a vhost-user socket: virtio id 7 for user-mode Linux.
///
/// @code
/// vhost_user_end end;
/// end.listen("/tmp/rpmsg.sock");
/// rpmsg::device_bus<vhost_user_board, vhost_user_transport> bus{end.transport(),
///                                                               end.policies<vhost_user_board>()};
/// for (;;) {
///     bus.poll();
///     bus.wait_work(1h);  // serves the socket, too
/// }
/// @endcode
/// One guest at a time; others wait until it has gone. A guest waits, with its interrupts off, until a request of the
/// protocol is answered: do not stay in a receiver for long while one sets up or takes down its rings.
///
/// What a guest sends costs no more than its own link, with one exception: one that cuts its memory's file shorter
/// after it shared it ends this process by SIGBUS at the next touch.
///
/// @context As its members. Outlives the bus and its handles; does not move.
class vhost_user_end {
public:
    explicit vhost_user_end(const vhost_user_offer& offer = {}) noexcept
        : service_{offer},
          waiters_{vhost_user::service_bell{service_}}
    {}

    /// Takes in guests that connect at a path, one after the other.
    ///
    /// @param path  Of a socket that is made here and removed with this object; at most 107 bytes.
    /// @return errc::too_long; errc::system: somebody listens there already, or it cannot be made.
    result<void> listen(std::string_view path) noexcept
    {
        const auto done = service_.listen(path);
        waiters_.wake();  // who sleeps did not know of it
        return done;
    }
    /// Takes in a guest that is connected already.
    ///
    /// @return errc::busy: there is one; errc::system: it is no socket.
    result<void> serve(file_descriptor connected) noexcept
    {
        const auto done = service_.serve(std::move(connected));
        waiters_.wake();
        return done;
    }

    /// For the bus.
    [[nodiscard]] vhost_user_transport transport() noexcept
    {
        return {service_.shared_rings(), service_.memory()};
    }
    /// The models for the bus: those of vhost_user_board, or of a board that derives from it.
    ///
    /// Also settles what is offered to guests that come from now on: the features of its dialect.
    template <policy::board Board>
        requires std::derived_from<Board, vhost_user_board>
    [[nodiscard]] policy::set<Board> policies() noexcept
    {
        static_assert((Board::dialect::features & policy::feature::buffer_sizes) == 0,
                      "vhost_user_end: buffer sizes cannot be stated over this transport");
        service_.offer(Board::dialect::features);
        policy::set<Board> models{};
        models.doorbell = typename Board::doorbell{vhost_user_doorbell{service_.shared_rings()}};
        models.wait = typename Board::wait{waiters_};
        models.address_map = guest_map{service_.memory()};
        return models;
    }

    /// The file for one's own epoll or poll: when it can be read, service(), then poll the bus.
    [[nodiscard]] int fd() const noexcept { return waiters_.fd(); }
    /// Does what the guest asks for, unless a thread sleeps on the bus: then that one does. Never waits.
    void service() noexcept { waiters_.drain(); }
    /// Wakes the threads that sleep on the bus: to stop a loop, say.
    void wake() noexcept { waiters_.wake(); }

    /// Whether a guest is connected. Whether it has set up its rings is the link's state.
    [[nodiscard]] bool has_guest() const noexcept { return service_.has_guest(); }
    [[nodiscard]] vhost_user_counts counts() const noexcept { return service_.counts(); }
    /// Tables of guests' memory that are mapped here: three and those of which there are handles, at most.
    [[nodiscard]] std::size_t tables() noexcept { return service_.memory().tables(); }

private:
    vhost_user::service service_;
    waiters<vhost_user::service_bell> waiters_;
};

}  // namespace rpmsg::platform
