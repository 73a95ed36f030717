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

    /// Looks after the link, and after what is not receiving.
    ///
    /// @return Whether messages may be received.
    [[gnu::noinline]] bool look_after() noexcept
    {
        if (this->was_due(base::stopped)) {
            stop_now();
            return false;
        }
        {
            const scope lock{this->exclusion_};
            this->not_due(base::reply_blocked);
        }
        step();
        if (this->state_ != link_state::up)
            return false;
        if (this->was_due(base::flush_due))
            this->flush();
        if (this->was_due(base::replay_due))
            this->hear_again();
        return true;
    }

    /// Has the link ended from this side when the poll ends. The exclusion is held.
    void stop_at_end() noexcept
    {
        this->set_due(base::stopped);
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
    void step() noexcept
    {
        if (this->state_ == link_state::down) {
            const scope lock{this->exclusion_};
            this->link_.start();
        }
        if (this->state_ == link_state::down || this->state_ == link_state::lost)
            this->set_state(link_state::negotiating);
        auto change = link_change::none;
        {
            const scope lock{this->exclusion_};
            change = this->link_.step();
        }
        if (change == link_change::none)
            return;
        if (change == link_change::came_up) {
            {
                const scope lock{this->exclusion_};
                this->announced_next_ = this->opened_.first();
                this->set_due(base::announce_due);
            }
            this->set_state(link_state::up);
            this->tell(this->opened_, event_kind::bound);
        } else if (change == link_change::went_down || change == link_change::broke_down) {
            lose(link_state::lost);
            if (change == link_change::broke_down)
                this->tell_observers(event_kind::error, event_word{fault::ring_broken});
        } else if (change == link_change::refused) {
            this->tell_observers(event_kind::error, event_word{fault::layout_refused});
        }
        // After DRIVER_OK a driver rings once, always; a device rings when it asked for a reset.
        this->ring(policy::vring_id::to_driver);
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
        }
        self.ring(base::link_type::tx_ring);
        self.lose(link_state::down);
    }

    /// The link is gone: handles become stale, endpoints are unbound and told.
    void lose(link_state next) noexcept
    {
        {
            const scope lock{this->exclusion_};
            this->state_ = next;
            ++this->epoch_;
            this->gone_.clear();
            this->heard_.clear();
            this->announced_next_ = nullptr;
            this->due_ &= base::stopped;
            this->news_ = 0;
        }
        this->tell(this->opened_, event_kind::unbound);
        this->tell_observers(event_kind::link, event_word{next});
    }
};

}  // namespace rpmsg
