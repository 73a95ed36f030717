#pragma once

#include <rpmsg/platform/linux/eventfd.hpp>
#include <rpmsg/platform/linux/futex.hpp>
#include <rpmsg/platform/linux/link_files.hpp>
#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/peer_process.hpp>
#include <rpmsg/platform/linux/process_layout.hpp>
#include <rpmsg/platform/linux/thread_exclusion.hpp>
#include <rpmsg/policy/address_map.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/policy/ring_size.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/status.hpp>

#include <concepts>
#include <cstddef>
#include <utility>

#include <sys/types.h>

namespace rpmsg::platform {

/// What boards of two processes on one machine have in common; take eventfd_board or futex_board.
struct process_board : policy::board_defaults {
    using coherence = policy::smp;
    using address_map = policy::offset;
    using clock = monotonic_clock;
    using lifecycle = peer_process;
    using ring = policy::ring_up_to<256>;

    static constexpr std::size_t address_slots = 64;
    static constexpr std::size_t withdrawals = 16;
    static constexpr auto inbound = policy::inbound::quiet_while_draining;  // a ring is a system call
};

/// Processes that wake each other by eventfd: fits into epoll, and is the one to begin with.
struct eventfd_board : process_board {
    using doorbell = eventfd_doorbell;
    using wait = eventfd_wait;
};
static_assert(policy::board<eventfd_board>);

/// Processes that wake each other by a word in the shared memory: no system call while the peer is awake.
struct futex_board : process_board {
    using doorbell = futex_doorbell;
    using wait = futex_wait;
};
static_assert(policy::board<futex_board>);

/// The same board for a bus that several threads of the process use.
template <policy::board Board>
struct threaded : Board {
    using exclusion = thread_exclusion;
};
static_assert(policy::board<threaded<eventfd_board>> && policy::board<threaded<futex_board>>);

/// One process's end of a link: what the models of its board refer to.
///
/// @code
/// process_end end{files, virtio::role::device};
/// rpmsg::device_bus<eventfd_board> bus{*process_layout::table_in(files.memory.bytes()),
///                                      end.policies<eventfd_board>()};
/// @endcode
/// @context As its members. Outlives the bus; does not move.
class process_end {
public:
    /// @param link  A page or more of memory (process_layout::table_in() says so). Stays where it is.
    process_end(const link_files& link, virtio::role self) noexcept
        : link_{link},
          self_{self},
          waiters_{self == virtio::role::driver ? link.wakes_driver : link.wakes_device}
    {}

    /// The models for a bus: those of eventfd_board or futex_board, or of a board that derives from one.
    ///
    /// @tparam Board  Its doorbell can be made from the doorbell that it derives from: to count, to trace.
    template <policy::board Board>
        requires std::derived_from<Board, eventfd_board> || std::derived_from<Board, futex_board>
    policy::set<Board> policies() noexcept
    {
        policy::set<Board> models{};
        if constexpr (std::derived_from<Board, eventfd_board>) {
            const auto& peers = self_ == virtio::role::driver ? link_.wakes_device : link_.wakes_driver;
            models.doorbell = typename Board::doorbell{eventfd_doorbell{peers}};
            models.wait = eventfd_wait{waiters_};
        } else if (const auto words = futex_words_at(link_.memory.bytes(), process_layout::bells)) {
            auto& for_driver = (*words)->wakes_driver;
            auto& for_device = (*words)->wakes_device;
            models.doorbell = typename Board::doorbell{
                futex_doorbell{self_ == virtio::role::driver ? for_device : for_driver}};
            models.wait = futex_wait{self_ == virtio::role::driver ? for_driver : for_device};
            models.wait.forget_sleepers();  // of a process that had our place and was killed
        }
        models.address_map = policy::offset{link_.memory.bytes(), 0};
        models.lifecycle = peer_process{peer_};
        return models;
    }

    /// Keeps an eye on the peer from now on; again when another process took its place. See process::watch().
    ///
    /// The bus hears of its end at the next poll, and a thread that sleeps on an eventfd_board at once.
    ///
    /// @param whom  The pid of a child, or a pidfd or socket.
    result<void> watch(::pid_t whom) noexcept { return watching(peer_.watch(whom)); }
    result<void> watch(file_descriptor whom) noexcept { return watching(peer_.watch(std::move(whom))); }

    /// What became of the peer's process. `restarted` is said once: to the bus, or to whoever asks first.
    [[nodiscard]] process& peer() noexcept { return peer_; }

    /// Whom a ring wakes on an eventfd_board; its fd() goes into epoll.
    [[nodiscard]] eventfd_waiters& waiters() noexcept { return waiters_; }

private:
    result<void> watching(result<void> begun) noexcept
    {
        if (begun)
            waiters_.wake_once_on(peer_.watched());
        return begun;
    }

    const link_files& link_;
    virtio::role self_;
    process peer_;
    eventfd_waiters waiters_;
};

}  // namespace rpmsg::platform
