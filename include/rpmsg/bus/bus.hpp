#pragma once

#include <rpmsg/bus/buffer_pool.hpp>
#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/opening.hpp>
#include <rpmsg/bus/receiving.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/name.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/resource_table.hpp>
#include <rpmsg/virtio/status.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace rpmsg {

/// One end of a link: its vrings, its endpoints and its name service. bus and immortal<bus> are made of it.
///
/// @tparam Role       Which end; the other end's code is not in the image.
/// @tparam Board      What the platform decides: see policy::board_defaults.
/// @tparam Transport  Who says "ready", and where the rings are.
/// @context Calls come from one context at a time unless Board::exclusion says otherwise. Receivers and
///          observers run in the context that polls, and no lock is held meanwhile. Only calls that take a
///          deadline wait.
template <virtio::role Role, policy::board Board, typename Transport = virtio::resource_table>
class basic_bus : private opening<Role, Board, Transport> {
    static_assert(!Board::exclusion::isr_safe || Board::doorbell::isr_safe,
                  "rpmsg::bus: the exclusion admits interrupts, but the doorbell cannot be rung from one");
    using base = opening<Role, Board, Transport>;
    using typename base::scope;

public:
    using basic = basic_bus;
    using board_type = Board;
    using typename base::deadline;

    /// @param transport  For resource_table: the table, or its vdev entry; outlives the bus.
    explicit constexpr basic_bus(Transport transport, policy::set<Board> policies = {}) noexcept
        requires(Role == virtio::role::device)
        : base{transport, std::move(policies)}
    {}
    /// @param pool  The buffers; outlives the bus.
    constexpr basic_bus(Transport transport, const buffer_pool& pool,
                        policy::set<Board> policies = {}) noexcept
        requires(Role == virtio::role::driver)
        : base{transport, pool, std::move(policies)}
    {}

    /// Begins to negotiate; the first poll() does it too. Never blocks, and the peer need not be there.
    void start() noexcept
    {
        {
            const scope lock{this->exclusion_};
            this->unset(base::stopped);
            this->stop_later_ = nullptr;
        }
        poll(0);
    }

    /// Withdraws what can be withdrawn without waiting, ends the link, and stays down until start().
    ///
    /// Endpoints stay open and are told that they are unbound. Inside a receiver, and while another context
    /// polls, it takes effect when that poll ends.
    void stop() noexcept
    {
        {
            const scope lock{this->exclusion_};
            this->stop_at_end();
        }
        poll(0);
    }

    /// Handles what came: changes of the link, announcements, messages, returned buffers.
    ///
    /// @param budget  Messages at most.
    /// @context Returns at once when it is running already, in this context or another.
    poll_result poll(std::uint16_t budget = Board::ring::capacity) noexcept
    {
        auto next = base::turn::receive;
        {
            const scope lock{this->exclusion_};
            if (this->flags_ == base::settled && this->link_.intact()) [[likely]]
                this->begin_poll();
            else
                next = base::turn::over;
        }
        if (next != base::turn::receive) [[unlikely]]
            next = this->look_after();
        poll_result done;
        if (next == base::turn::taken)
            return done;
        if (next == base::turn::receive) [[likely]]
            done = this->drain(budget);
        do {
            if (this->was(base::stopped | base::listening)) [[unlikely]]
                this->finish();
        } while (!end_poll());
        this->ring_put_off();
        return done;
    }

    /// Whether poll() has something to do: ask it with the doorbell's interrupt masked, then sleep.
    [[nodiscard]] bool has_work() noexcept
    {
        const scope lock{this->exclusion_};
        auto& link = this->link_;
        if (this->is(base::stopped) || this->state_ == link_state::down)
            return this->is(base::stopped) != (this->state_ == link_state::down);
        if (this->state_ == link_state::lost || link.has_change())
            return true;
        if (this->state_ != link_state::up)
            return false;
        // A message whose receiver has a result waits for a buffer to answer in, not for us.
        if (this->is(base::reply_blocked) ? this->look_for_tx(0) != errc::full
                                          : link.rx().look() != errc{} || link.rx().waiting() != 0)
            return true;
        return this->is(base::replay_due) ||
               (this->is(base::flush_due | base::tx_wanted) && this->look_for_tx(this->kept_) != errc::full);
    }

    /// Sleeps as Board::wait does until there is something for poll(), or until the time has come.
    /// May return early.
    void wait_work(deadline until) noexcept
    {
        this->link_.policies.wait.sleep([this]() noexcept { return has_work(); }, this->looks_again(until));
    }

    /// Polls until the link is up.
    ///
    /// @return errc::timed_out; inside a receiver errc::link_down at once.
    result<void> wait_link(deadline until) noexcept
    {
        return wait_until(until, errc::link_down, [this]() noexcept { return state() == link_state::up; });
    }

    /// Where the link stands.
    [[nodiscard]] link_state state() const noexcept
    {
        const scope lock{this->exclusion_};
        return this->state_;
    }
    /// Counts the links that were lost: buffers of an earlier epoch are stale.
    [[nodiscard]] std::uint32_t epoch() const noexcept
    {
        const scope lock{this->exclusion_};
        return this->epoch_;
    }
    /// Bytes of the longest payload that fits a tx buffer; 0 while the link is not up.
    [[nodiscard]] std::uint32_t max_payload() const noexcept
    {
        const scope lock{this->exclusion_};
        return this->longest();
    }
    using base::has_name_service;
    /// What was refused or dropped, by cause.
    [[nodiscard]] statistics stats() const noexcept
    {
        const scope lock{this->exclusion_};
        return this->link_.counts;
    }
    /// Why the link does not come up, or errc{}: what the peer laid out cannot be used.
    [[nodiscard]] errc refusal() const noexcept
    {
        const scope lock{this->exclusion_};
        return this->link_.refusal();
    }

protected:
    /// Stops, and closes the endpoints and observers that are still open.
    void end() noexcept
    {
        stop();
        while (auto* const node = this->opened_.first())
            this->unlink(*node);
        if constexpr (Board::observers)
            while (auto* const node = this->observers_.first()) {
                this->observers_.remove(*node);
                node->open = false;
            }
    }

private:
    template <typename, typename, typename, typename...>
    friend class basic_endpoint;
    template <typename, typename...>
    friend class basic_observer;
    template <typename, typename>
    friend class tx_buffer;
    template <typename>
    friend class batch;

    template <typename Done>
    result<void> wait_until(deadline until, errc inside, Done done) noexcept
    {
        while (!done()) {
            {
                const scope lock{this->exclusion_};
                if (this->inside_poll())
                    return inside;
            }
            poll();
            if (done())
                break;
            if (until.passed())
                return errc::timed_out;
            wait_work(until);
        }
        return {};
    }

    /// @return false when stop() was called meanwhile: it relied on this poll.
    bool end_poll() noexcept
    {
        const scope lock{this->exclusion_};
        if (this->is(base::stopped) && this->stop_later_ != nullptr) [[unlikely]]
            return false;
        this->unset(base::polling);
        return true;
    }
    /// What else a poll has to do at its end.
    [[gnu::noinline]] void finish() noexcept
    {
        if (this->was(base::stopped))
            this->stop_now();
        else
            this->offer_tx();
    }

    // Batches

    void begin_batch() noexcept
    {
        const scope lock{this->exclusion_};
        this->flags_ += base::one_batch;
    }
    void end_batch() noexcept
    {
        {
            const scope lock{this->exclusion_};
            this->flags_ -= base::one_batch;
        }
        this->ring_put_off();
    }
};

/// A basic_bus that ends with its scope.
template <virtio::role Role, policy::board Board, typename Transport = virtio::resource_table>
class bus : public basic_bus<Role, Board, Transport> {
public:
    using basic_bus<Role, Board, Transport>::basic_bus;
    bus(const bus&) = delete;
    bus& operator=(const bus&) = delete;

    /// Stops, and closes the endpoints that are still open: their own destructors then do nothing.
    constexpr ~bus()
    {
        if (!std::is_constant_evaluated())
            this->end();
    }
};

/// The transport of a board: the type of its `resources`, if it has such a member, or a table wherever it is.
template <typename Board>
struct transport_of {
    using type = virtio::resource_table;
};
template <typename Board>
    requires requires { Board::resources; }
struct transport_of<Board> {
    using type = std::remove_cvref_t<decltype(Board::resources)>;
};

/// The device's end of a link: firmware, usually.
template <policy::board Board, typename Transport = typename transport_of<Board>::type>
using device_bus = bus<virtio::role::device, Board, Transport>;

/// The driver's end of a link: it owns the buffers.
template <policy::board Board, typename Transport = typename transport_of<Board>::type>
using driver_bus = bus<virtio::role::driver, Board, Transport>;

}  // namespace rpmsg
