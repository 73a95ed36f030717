#pragma once

#include "kernel/host/options.hpp"
#include "kernel/host/recorder.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/platform/linux/vhost_user.hpp>
#include <rpmsg/rpmsg.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace host {

using namespace std::chrono_literals;

struct plain_board : rpmsg::platform::vhost_user_board {};
struct event_idx_board : rpmsg::platform::vhost_user_board {
    using dialect = rpmsg::policy::with_event_idx<rpmsg::policy::linux_kernel>;
};

/// Set by signals: SIGTERM ends the program, SIGUSR1 means what the mode says.
inline volatile std::sig_atomic_t ended = 0;
inline volatile std::sig_atomic_t told = 0;
/// What they wake: nothing else ends a sleep but the guest, so a doorbell that gets lost is a hang and not a delay.
inline std::atomic<rpmsg::platform::vhost_user_end*> asleep = nullptr;

inline void on_signal(int which)
{
    (which == SIGTERM ? ended : told) = 1;
    if (auto* const end = asleep.load())
        end->wake();
}

inline void check(bool good, const char* what)
{
    if (!good)
        throw std::runtime_error{what};
}

inline rpmsg::platform::vhost_user_offer offer(const options& o)
{
    return {.version_1 = !o.has("legacy"), .reply_ack = !o.has("no-reply-ack"), .inband = o.has("inband")};
}

/// A bus on a socket, and what happens on it written down.
template <rpmsg::policy::board Board>
class served {
public:
    using bus_type = rpmsg::device_bus<Board, rpmsg::platform::vhost_user_transport>;

    served(const options& o, unsigned index) : log{index, !o.has("quiet")}, end{offer(o)}
    {
        check(end.listen(o.sockets.at(index).c_str()).has_value(), "cannot listen");
        check(watch_.open().has_value() && probe_.open(rpmsg::address{500}).has_value(), "cannot open");
    }
    ~served()
    {
        log.note("faults {}", bus.stats().total());
        const auto counts = end.counts();
        log.note("requests {}", counts.requests);
        log.note("guests {} refused {}", counts.guests, counts.refused + counts.cut_off);
    }
    served(const served&) = delete;
    served& operator=(const served&) = delete;

    recorder log;
    rpmsg::platform::vhost_user_end end;
    bus_type bus{end.transport(), end.template policies<Board>()};

    /// Sleeps and polls until the program is to end; `at_each_turn` is called between polls, `nap` apart at most.
    template <typename Turn>
    void run(Turn at_each_turn, std::chrono::milliseconds nap = 30min)
    {
        asleep = &end;
        log.note("listens");
        while (ended == 0) {
            bus.poll();
            at_each_turn();
            bus.wait_work(nap);
        }
        asleep = nullptr;
    }
    void run()
    {
        run([] {});
    }

private:
    void on_state(rpmsg::link_state state)
    {
        log.note("link {}", state);
        if (state != rpmsg::link_state::up)
            return;
        static constexpr std::array<std::byte, 497> one_too_many{};
        log.note("longest {}", bus.max_payload());
        log.note("497: {}", probe_.try_send_to(rpmsg::address{1}, one_too_many).error());
    }

    struct linked {
        served* self;
        void operator()(rpmsg::link_state state) const { self->on_state(state); }
    };
    struct failed {
        served* self;
        void operator()(rpmsg::fault cause) const { self->log.note("fault {}", cause); }
    };
    rpmsg::observer<typename bus_type::basic, rpmsg::on_link<linked>, rpmsg::on_error<failed>> watch_{
        bus, rpmsg::on_link<linked>{linked{this}}, rpmsg::on_error<failed>{failed{this}}};
    rpmsg::endpoint<typename bus_type::basic, void, rpmsg::no_receiver> probe_{bus, rpmsg::no_receiver{}};
};

}  // namespace host
