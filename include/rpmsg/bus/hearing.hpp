#pragma once

#include <rpmsg/bus/announcing.hpp>
#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/bus/event.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/announcement.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/virtio/status.hpp>

#include <cstddef>

namespace rpmsg {

/// The part of a bus that binds endpoints to what the peer announces, and unbinds them.
///
/// @context The context that polls.
template <virtio::role Role, policy::board Board, typename Transport>
class hearing : protected announcing<Role, Board, Transport> {
    using base = announcing<Role, Board, Transport>;

protected:
    using base::base;
    using typename base::scope;
    constexpr ~hearing() = default;

    /// Binds an endpoint and tells it. The node is marked as running.
    [[gnu::noinline]] void bind(endpoint_node& node, address peer) noexcept
    {
        {
            const scope lock{this->exclusion_};
            node.peer = peer;
        }
        node.tell(node, event_kind::bound, event_word{peer});
    }

    /// The node's function returned.
    void leave() noexcept
    {
        const scope lock{this->exclusion_};
        this->returned();
    }

    void hear(const announcement& news) noexcept
    {
        auto what = event_kind::announced;
        if (news.news() == channel_news::went) {
            what = event_kind::withdrawn;
            this->heard_.forget(news);
            this->tell_unbound(&news);
        } else {
            this->heard_.add(news);  // until it is withdrawn: an endpoint that closes may open again
            if (bind_to(news))
                return;
        }
        this->tell_observers(what, event_word{news});
    }

    /// Endpoints opened: perhaps they wait for what was announced before.
    void hear_again() noexcept
    {
        if constexpr (Board::remembered_announcements != 0) {
            {
                const scope lock{this->exclusion_};
                this->unset(base::replay_due);
            }
            for (std::size_t i = 0; i != this->heard_.size(); ++i)
                static_cast<void>(bind_to(announcement{this->heard_[i]}));
        }
    }

private:
    /// @return Whether an endpoint is, or was, bound to it. One bound to the very address has precedence.
    bool bind_to(const announcement& news) noexcept
    {
        endpoint_node* unbound = nullptr;
        {
            const scope lock{this->exclusion_};
            for (auto* node = this->opened_.first(); node != nullptr; node = node->next_opened) {
                if (!node->service.is(news.text()))
                    continue;
                if (node->peer == news.address())
                    return true;  // said twice
                if (node->peer.is_any() && unbound == nullptr)
                    unbound = node;
            }
            if (unbound == nullptr)
                return false;
            this->current_ = unbound;
            if constexpr (Board::dialect::greets_when_bound) {
                unbound->greets = true;
                this->set(base::greet_due);
            }
        }
        bind(*unbound, news.address());
        leave();
        if constexpr (Board::dialect::greets_when_bound)
            this->flush();
        return true;
    }
};

}  // namespace rpmsg
