#pragma once

#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/bus/link.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/receiving.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/virtio/status.hpp>

#include <cstdint>
#include <utility>

namespace rpmsg {

/// The part of a bus that takes its link up and down, and tells endpoints and observers.
///
/// @context The context that polls.
template <virtio::role Role, policy::board Board, typename Transport>
class negotiating : protected receiving<Role, Board, Transport> {
    using base = receiving<Role, Board, Transport>;

protected:
    using base::base;
    using typename base::scope;
    constexpr ~negotiating() = default;

    /// What a poll may do.
    enum class turn : std::uint8_t { taken, over, receive };

    /// Begins a poll, and looks after the link and all that is not receiving.
    ///
    /// @return turn::taken when another poll is under way: this one did not begin.
    [[gnu::noinline]] turn look_after() noexcept
    {
        {
            const scope lock{this->exclusion_};
            if (this->is(base::polling))
                return turn::taken;
            begin_poll();
            this->unset(base::reply_blocked);
            if (this->is(base::stopped))
                return turn::over;  // the end of the poll sees to it
        }
        step();
        if (!this->was(base::settled))
            return turn::over;
        if (this->was(base::flush_due))
            this->flush();
        if (this->was(base::replay_due))
            this->hear_again();
        return turn::receive;
    }

    /// The exclusion is held.
    void begin_poll() noexcept
    {
        this->set(base::polling);
        if constexpr (base::is_concurrent)
            this->poller_ = this->exclusion_.context();
    }

    /// Has the link ended from this side when the poll ends. The exclusion is held.
    void stop_at_end() noexcept
    {
        this->set(base::stopped);
        this->stop_later_ = go_down;
    }
    [[gnu::noinline]] void stop_now() noexcept
    {
        void (*go)(bus_state<Role, Board, Transport>&) noexcept = nullptr;
        {
            const scope lock{this->exclusion_};
            go = std::exchange(this->stop_later_, nullptr);
        }
        if (go != nullptr)
            go(*this);
    }

private:
    /// @spec virtio 1.2, 3.2.1 "Notification of Device Configuration Changes"
    /// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, rpmsg_probe()
    void step() noexcept
    {
        if (this->state_ == link_state::down) {
            const scope lock{this->exclusion_};
            this->link_.start();
        }
        if (this->state_ == link_state::down || this->state_ == link_state::lost)
            set_state(link_state::negotiating);
        auto change = link_change::none;
        {
            const scope lock{this->exclusion_};
            change = this->link_.step();
            if (change == link_change::went_down || change == link_change::broke_down)
                cut(link_state::lost);
        }
        if (change == link_change::none)
            return;
        if (change == link_change::came_up) {
            {
                const scope lock{this->exclusion_};
                this->announced_next_ = this->opened_.first();
                this->room_ = this->link_.longest() + 1;
                this->set(base::settled | base::announce_due);
            }
            set_state(link_state::up);
            this->tell_bound();
        } else if (change == link_change::went_down || change == link_change::broke_down) {
            tell_lost();
            if (change == link_change::broke_down)
                this->tell_observers(event_kind::error, event_word{fault::ring_broken});
        } else if (change == link_change::refused) {
            this->tell_observers(event_kind::error, event_word{fault::layout_refused});
        }
        // A driver rings for what it wrote to the status, always; a device when it asks for a reset.
        if (Role == virtio::role::driver || change >= link_change::broke_down)
            this->ring(policy::vring_id::to_driver);
    }

    void set_state(link_state state) noexcept
    {
        {
            const scope lock{this->exclusion_};
            this->state_ = state;
        }
        this->tell_observers(event_kind::link, event_word{state});
    }

    static void go_down(bus_state<Role, Board, Transport>& state) noexcept
    {
        auto& self = static_cast<negotiating&>(state);
        if (self.state_ == link_state::down)
            return;
        if (self.state_ == link_state::up)
            self.withdraw_all();
        {
            const scope lock{self.exclusion_};
            self.link_.stop();
            self.cut(link_state::down);
        }
        self.ring(base::link_type::tx_ring);
        self.tell_lost();
    }

    /// The link is gone, and handles are stale: no context that sends may find the old rings after the link knows. The
    /// exclusion is held.
    void cut(link_state next) noexcept
    {
        this->state_ = next;
        ++this->epoch_;
        this->gone_.clear();
        this->heard_.clear();
        this->announced_next_ = nullptr;
        this->unset(base::of_this_link);
        this->room_ = 0;
    }
    /// Endpoints are unbound, and all are told.
    void tell_lost() noexcept
    {
        this->tell_unbound(nullptr);
        this->tell_observers(event_kind::link, event_word{this->state_});
    }
};

}  // namespace rpmsg
