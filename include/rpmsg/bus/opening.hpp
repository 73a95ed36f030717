#pragma once

#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/negotiating.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/name.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/status.hpp>

namespace rpmsg {

/// The part of a bus that takes endpoints and observers in, and lets them go.
///
/// @context Any that may call the bus.
template <virtio::role Role, policy::board Board, typename Transport>
class opening : protected negotiating<Role, Board, Transport> {
    using base = negotiating<Role, Board, Transport>;

protected:
    using base::base;
    using typename base::scope;
    constexpr ~opening() = default;

    /// What an endpoint is at this moment.
    struct seen {
        address local;
        address peer;
        bool is_open;
        bool is_bound;
    };
    [[nodiscard]] seen look_at(const endpoint_node& node) const noexcept
    {
        const scope lock{this->exclusion_};
        return {node.local, node.peer, node.open && !node.closing,
                !node.peer.is_any() && this->state_ == link_state::up};
    }

    result<void> open(endpoint_node& node, name service, address local, address peer) noexcept
    {
        {
            const scope lock{this->exclusion_};
            if (node.open)
                return errc::already_open;
            if (local.is_any())
                local = this->table_.choose();
            else if (local == name_service_address || this->table_.find(local) != nullptr)
                return errc::address_in_use;
            node.local = local;
            node.peer = peer;
            node.service = service;
            node.open = true;
            node.fixed_peer = !peer.is_any();
            node.closing = node.announced = node.greets = false;
            this->table_.insert(node);
            this->opened_.append(node);
            if (node.replies)
                this->count_replier(1);
            if (this->state_ == link_state::up) {
                if (this->announced_next_ == nullptr)
                    this->announced_next_ = &node;
                this->set(Board::remembered_announcements != 0 ? base::announce_due | base::replay_due
                                                               : base::announce_due);
            }
        }
        this->flush();
        return {};
    }

    /// @param dying  The node is being destroyed: it cannot wait for its receiver to return.
    result<void> close(endpoint_node& node, bool dying) noexcept
    {
        auto before = this->exclusion_.enter();
        auto why = errc{};
        const bool runs = this->current_ == &node;
        if (!node.open) {
            why = errc::closed;
        } else if (!dying && node.announced && this->gone_.full()) {
            why = errc::full;
        } else if (runs && interrupted()) {
            why = errc::busy;
        } else if (runs && (!dying || !this->inside_poll())) {
            node.closing = true;  // it closes when its receiver returns, and is not called again
            this->close_later_ = close_returned;
            this->set(base::close_due);
            while (node.open && !this->inside_poll())
                relax(before);
        } else {
            unlink(node);
        }
        this->exclusion_.leave(before);
        if (why != errc{})
            return why;
        this->flush();
        return {};
    }

    /// Takes a node out of all tables, and has it withdrawn if it was announced. The exclusion is held.
    void unlink(endpoint_node& node) noexcept
    {
        this->withdraw(node);
        this->forget(node);
        this->table_.remove(node);
        this->opened_.remove(node);
        if (node.replies)
            this->count_replier(-1);
        node.open = node.closing = node.announced = false;
        node.local = node.peer = any_address;
    }
    result<void> observe(endpoint_node& node) noexcept
    {
        static_assert(Board::observers, "rpmsg::observer: this board says that it has no observers");
        const scope lock{this->exclusion_};
        if (node.open)
            return errc::already_open;
        node.open = true;
        this->observers_.append(node);
        return {};
    }
    result<void> ignore(endpoint_node& node) noexcept
    {
        auto before = this->exclusion_.enter();
        auto why = errc{};
        while (this->current_ == &node && !this->inside_poll() && !interrupted())
            relax(before);
        if (!node.open) {
            why = errc::closed;
        } else if (this->current_ == &node && !this->inside_poll()) {
            why = errc::busy;
        } else {
            this->forget(node);
            this->observers_.remove(node);
            node.open = false;
        }
        this->exclusion_.leave(before);
        return why == errc{} ? result<void>{} : why;
    }

private:
    /// Whether whatever runs now was interrupted by us: waiting for it would be for ever.
    [[nodiscard]] bool interrupted() noexcept
    {
        return !base::exclusion::others_progress && !this->inside_poll();
    }
    /// Lets another context go on.
    void relax(typename base::exclusion::state& before) noexcept
    {
        this->exclusion_.leave(before);
        this->exclusion_.relax();
        before = this->exclusion_.enter();
    }
    static void close_returned(bus_state<Role, Board, Transport>& state) noexcept
    {
        auto& self = static_cast<opening&>(state);
        if (self.current_ != nullptr && self.current_->closing)
            self.unlink(*self.current_);
    }
};

}  // namespace rpmsg
