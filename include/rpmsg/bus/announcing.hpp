#pragma once

#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/link.hpp>
#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/sending.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/announcement.hpp>
#include <rpmsg/name_service/name.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/wire/announcement.hpp>
#include <rpmsg/wire/header.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace rpmsg {

/// The part of a bus that announces and withdraws channels, in order of opening, as far as there are
/// buffers. It never waits: what finds no buffer is sent when one comes back.
template <virtio::role Role, policy::board Board, typename Transport>
class announcing : protected sending<Role, Board, Transport> {
    using base = sending<Role, Board, Transport>;
    using exclusion_state = typename Board::exclusion::state;

protected:
    using base::base;
    constexpr ~announcing() = default;

    /// Whether both sides have the name service. The exclusion is held.
    [[nodiscard]] bool names_are_on() const noexcept
    {
        return (this->link_.features() & policy::feature::name_service) != 0;
    }

    /// Sends what is to be withdrawn, and then what is to be announced.
    void flush() noexcept
    {
        auto before = this->exclusion_.enter();
        if (this->room_ != 0 && seizes_flushing()) {
            if (this->is(base::withdraw_due))
                this->withdraw_later_(*this, before);
            while (auto* const node = this->announced_next_) {
                // All is written down first: while the message goes out the endpoint may close, and the link go.
                this->announced_next_ = node->next_opened;
                if (!wants_announcing(*node))
                    continue;
                node->announced = true;
                if (!send_announcement(before, node->service, node->local, channel_news::came)) {
                    node->announced = false;
                    this->announced_next_ = node;
                    break;
                }
            }
            if (this->announced_next_ == nullptr)
                this->unset(base::announce_due);
            if constexpr (Board::dialect::greets_when_bound)
                greet(before);
            if constexpr (base::is_concurrent)
                this->flushing_ = false;
        }
        this->exclusion_.leave(before);
    }

    /// Withdraws an endpoint that is gone, or keeps it for later. The exclusion is held.
    void withdraw(const endpoint_node& node) noexcept
    {
        if (!node.announced)
            return;
        if (this->gone_.full())
            return this->link_.counts.count(fault::withdrawal_dropped);
        this->gone_.push({node.service, node.local});
        this->withdraw_later_ = withdraw_gone;
        this->set(base::withdraw_due);
    }

    /// Withdraws all that is announced, as far as there are buffers: nobody will look again.
    void withdraw_all() noexcept
    {
        auto before = this->exclusion_.enter();
        this->told_next_ = this->opened_.first();
        while (auto* const node = this->told_next_) {
            this->told_next_ = node->next_opened;
            const bool was_announced = node->announced;
            node->announced = false;
            if (was_announced && !send_announcement(before, node->service, node->local, channel_news::went))
                break;
        }
        this->exclusion_.leave(before);
    }

    [[nodiscard]] bool wants_announcing(const endpoint_node& node) const noexcept
    {
        return !node.announced && !node.service.empty() && names_are_on();
    }

private:
    /// Whether no other context flushes: it would do our part too. The exclusion is held.
    [[nodiscard]] bool seizes_flushing() noexcept
    {
        if constexpr (base::is_concurrent)
            return !std::exchange(this->flushing_, true);
        else
            return true;
    }

    /// The exclusion is held on entry and return, and let go while the message is made.
    ///
    /// @return false when there is no buffer: nothing happened.
    /// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, virtio_rpmsg_announce_create()
    /// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, virtio_rpmsg_announce_destroy()
    bool send_announcement(exclusion_state& before, name service, address endpoint,
                           channel_news news) noexcept
    {
        grant out{};
        out.from = endpoint;
        out.to = name_service_address;
        out.epoch = this->epoch_;
        constexpr std::uint32_t size = sizeof(wire::announcement);
        if (size >= this->room_ || this->take_tx(out, this->kept_, size) != errc{})
            return false;
        this->exclusion_.leave(before);
        announce(out.data + sizeof(wire::header), service, endpoint, news);
        static_cast<void>(this->publish(out, size));  // stale: the next epoch announces it again
        before = this->exclusion_.enter();
        return true;
    }

    static void withdraw_gone(bus_state<Role, Board, Transport>& state, exclusion_state& before) noexcept
    {
        auto& self = static_cast<announcing&>(state);
        while (!self.gone_.empty()) {
            const auto entry = self.gone_.front();
            self.gone_.pop();  // while the message goes out the link may go, and the queue with it
            if (!self.send_announcement(before, entry.service, entry.endpoint, channel_news::went)) {
                self.gone_.unpop(entry);
                return;
            }
        }
        self.unset(base::withdraw_due);
    }

    /// Empty messages: the answer to an announcement where the dialect has one.
    /// @spec Zephyr subsys/ipc/ipc_service/backends/ipc_rpmsg_static_vrings.c, bound_cb()
    void greet(exclusion_state& before) noexcept
    {
        for (auto* node = this->opened_.first(); node != nullptr && this->is(base::greet_due);) {
            if (!node->greets || node->peer.is_any()) {
                node = node->next_opened;
                continue;
            }
            grant out{};
            out.from = node->local;
            out.to = node->peer;
            out.epoch = this->epoch_;
            if (this->take_tx(out, this->kept_, 0) != errc{})
                return;
            node->greets = false;
            this->exclusion_.leave(before);
            static_cast<void>(this->publish(out, 0));
            before = this->exclusion_.enter();
            node = this->opened_.first();  // anything may have happened meanwhile
        }
        this->unset(base::greet_due);
    }
};

}  // namespace rpmsg
