#pragma once

#include "kernel/host/options.hpp"
#include "kernel/host/served.hpp"

#include <rpmsg/rpmsg.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <numeric>

namespace host {

/// Echoes, and keeps one received and one transmit buffer of each epoch until the next one has begun.
template <rpmsg::policy::board Board>
class keeper_of_old {
public:
    explicit keeper_of_old(const options& o) : one_{o, 0}
    {
        check(raw_.open("rpmsg-raw").has_value(), "cannot open");
        one_.log.note("open rpmsg-raw {}", raw_.local().value());
    }
    void run()
    {
        one_.run([this] {
            if (one_.bus.state() == rpmsg::link_state::up && grabbed_ && one_.bus.epoch() != epoch_)
                try_old();
        });
    }

private:
    using bus_type = typename served<Board>::bus_type::basic;

    rpmsg::payload_view on_message(rpmsg::message in)
    {
        one_.log.received(in.source(), in.destination(), in.payload());
        if (!grabbed_) {
            epoch_ = one_.bus.epoch();
            kept_ = in.hold();
            grabbed_ = raw_.try_acquire();
        }
        one_.log.sent(in.destination(), in.source(), in.payload());
        return in.payload();
    }
    void try_old()
    {
        // The memory is still mapped. It is not written to: the guest may have made a ring of it.
        const auto sum = std::accumulate(kept_.payload().begin(), kept_.payload().end(), std::byte{},
                                         [](std::byte a, std::byte b) { return a ^ b; });
        one_.log.note("old bytes read: {}, sum {}", kept_.payload().size(), std::to_integer<int>(sum));
        one_.log.note("old send: {}", std::move(grabbed_).send(8).error());
        grabbed_.drop();
        kept_.release();
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
    std::uint32_t epoch_ = 0;
    endpoint_type raw_{one_.bus, heard{this}, rpmsg::on_unbound<unbound>{unbound{this}}};
    typename endpoint_type::buffer grabbed_;
};

/// Keeps all that it gets; from SIGUSR1 on it gives one buffer back in 50 ms.
template <rpmsg::policy::board Board>
void serve_holding(const options& o)
{
    served<Board> one{o, 0};
    std::deque<rpmsg::rx_buffer> kept;
    rpmsg::endpoint raw{one.bus, [&](rpmsg::message in) {
                            one.log.received(in.source(), in.destination(), in.payload());
                            kept.push_back(in.hold());
                        }};
    check(raw.open("rpmsg-raw").has_value(), "cannot open");
    one.log.note("open rpmsg-raw {}", raw.local().value());
    auto next = std::chrono::steady_clock::now();
    one.run(
        [&] {
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
