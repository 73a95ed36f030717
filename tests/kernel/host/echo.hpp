#pragma once

#include "kernel/host/options.hpp"
#include "kernel/host/recorder.hpp"
#include "kernel/host/served.hpp"

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <list>
#include <string>

#include <poll.h>

namespace host {

inline constexpr rpmsg::address echo_address{77};

/// An endpoint that answers each message by itself.
template <typename Bus>
class echo {
public:
    echo(Bus& bus, recorder& log) : log_{log}, endpoint_{bus, back{&log}} {}

    /// @param as  Outlives the endpoint.
    void announce(const char* as, rpmsg::address at = rpmsg::any_address)
    {
        const auto name = rpmsg::name::from_static(as);
        check(name && endpoint_.open(*name, at).has_value(), "cannot open a channel");
        log_.note("open {} {}", as, endpoint_.local().value());
    }
    void close()
    {
        log_.note("close {}", endpoint_.local().value());
        check(endpoint_.close().has_value(), "cannot close a channel");
    }
    void open_at(rpmsg::address at) { check(endpoint_.open(at).has_value(), "cannot open an endpoint"); }

private:
    struct back {
        recorder* log;
        rpmsg::payload_view operator()(rpmsg::message in) const
        {
            log->received(in.source(), in.destination(), in.payload());
            log->sent(in.destination(), in.source(), in.payload());
            return in.payload();
        }
    };
    recorder& log_;
    rpmsg::endpoint<typename Bus::basic, void, back> endpoint_;
};

/// Channels of the names that were said, and an address that nobody announces.
template <typename Bus>
class echoes {
public:
    echoes(Bus& bus, recorder& log, const options& o)
    {
        for (const auto& name : o.names)
            all_.emplace_back(bus, log).announce(name.c_str());
        all_.emplace_back(bus, log).open_at(echo_address);
    }

private:
    std::list<echo<Bus>> all_;
};

template <rpmsg::policy::board Board>
void serve_echo(const options& o)
{
    served<Board> one{o, 0};
    const echoes all{one.bus, one.log, o};
    one.run();
}

/// Two buses in one process, with other features each.
inline void serve_two(const options& o)
{
    served<plain_board> first{o, 0};
    served<event_idx_board> second{o, 1};
    const echoes here{first.bus, first.log, o};
    const echoes there{second.bus, second.log, o};
    first.log.note("listens");
    second.log.note("listens");
    while (ended == 0) {
        std::array<::pollfd, 2> ask{::pollfd{.fd = first.end.fd(), .events = POLLIN, .revents = 0},
                                    ::pollfd{.fd = second.end.fd(), .events = POLLIN, .revents = 0}};
        if (!first.bus.has_work() && !second.bus.has_work())
            static_cast<void>(::poll(ask.data(), ask.size(), 10'000));
        first.end.service();
        first.bus.poll();
        second.end.service();
        second.bus.poll();
    }
}

}  // namespace host
