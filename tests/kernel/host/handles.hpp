#pragma once

#include "kernel/host/options.hpp"
#include "kernel/host/served.hpp"

#include <rpmsg/rpmsg.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace host {

/// Echoes, and keeps one received and one transmit buffer of each epoch until it has those of the next.
template <rpmsg::policy::board Board>
class keeper_of_old {
public:
    explicit keeper_of_old(const options& o) : one_{o, 0}
    {
        check(raw_.open("rpmsg-raw").has_value(), "cannot open");
        one_.log.note("open rpmsg-raw {}", raw_.local().value());
    }
    void run() { one_.run(); }

private:
    using bus_type = typename served<Board>::bus_type::basic;

    rpmsg::payload_view on_message(rpmsg::message in)
    {
        one_.log.received(in.source(), in.destination(), in.payload());
        if (!epoch_ || *epoch_ != one_.bus.epoch()) {
            // The first of its epoch, so that the old one's descriptor has the same number.
            auto received = std::exchange(kept_, in.hold());
            auto grabbed = std::exchange(grabbed_, raw_.try_acquire());
            if (epoch_)
                try_old(received, grabbed);
            epoch_ = one_.bus.epoch();
            copy_.assign(kept_.payload().begin(), kept_.payload().end());
        } else if (!std::ranges::equal(copy_, kept_.payload())) {
            one_.log.note("a buffer that we keep has changed");
        }
        one_.log.sent(in.destination(), in.source(), in.payload());
        return in.payload();
    }
    void try_old(rpmsg::rx_buffer& received, auto& grabbed)
    {
        // The memory is still mapped. It is not written to: the guest may have made a ring of it.
        const auto sum = std::accumulate(received.payload().begin(), received.payload().end(), std::byte{},
                                         [](std::byte a, std::byte b) { return a ^ b; });
        one_.log.note("old bytes read: {}, sum {}", received.payload().size(), std::to_integer<int>(sum));
        one_.log.note("old send: {}", std::move(grabbed).send(8).error());
        grabbed.drop();
        received.release();
    }

    struct heard {
        keeper_of_old* self;
        rpmsg::payload_view operator()(rpmsg::message in) const { return self->on_message(in); }
    };
    struct unbound {
        keeper_of_old* self;
        void operator()(rpmsg::address from) const { self->one_.log.note("unbound {}", from.value()); }
    };
    using endpoint_type = rpmsg::endpoint<bus_type, void, heard, rpmsg::on_unbound<unbound>>;

    served<Board> one_;
    rpmsg::rx_buffer kept_;
    std::vector<std::byte> copy_;  // of what is kept
    std::optional<std::uint32_t> epoch_;
    endpoint_type raw_{one_.bus, heard{this}, rpmsg::on_unbound<unbound>{unbound{this}}};
    typename endpoint_type::buffer grabbed_;
};

/// Keeps all that it gets; from SIGUSR1 on it gives one buffer back in 50 ms. Answers a message of one byte.
template <rpmsg::policy::board Board>
void serve_holding(const options& o)
{
    served<Board> one{o, 0};
    std::deque<rpmsg::rx_buffer> kept;
    rpmsg::address asks;
    rpmsg::endpoint raw{one.bus, [&](rpmsg::message in) {
                            one.log.received(in.source(), in.destination(), in.payload());
                            kept.push_back(in.hold());
                            if (in.size() == 1)
                                asks = in.source();
                        }};
    check(raw.open("rpmsg-raw").has_value(), "cannot open");
    one.log.note("open rpmsg-raw {}", raw.local().value());
    auto next = std::chrono::steady_clock::now();
    one.run(
        [&] {
            if (!asks.is_any() && raw.try_send_to(asks, {})) {
                one.log.sent(raw.local(), asks, {});
                asks = rpmsg::any_address;
            }
            const auto now = std::chrono::steady_clock::now();
            if (told == 0 || kept.empty() || now < next)
                return;
            one.log.note("releases one of {}", kept.size());
            kept.pop_front();
            next = now + 50ms;
        },
        10ms);
}

}  // namespace host
