#pragma once

#include "kernel/host/options.hpp"
#include "kernel/host/served.hpp"

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>

namespace host {

/// An echo that does one thing wrong, in its tenth answer: a test of the tests.
template <rpmsg::policy::board Board>
void serve_wrongly(const options& o)
{
    served<Board> one{o, 0};
    unsigned heard = 0;
    rpmsg::endpoint<typename served<Board>::bus_type::basic, void, rpmsg::no_receiver> to{
        one.bus, rpmsg::no_receiver{}};
    rpmsg::endpoint raw{one.bus, [&](rpmsg::message in) {
                            std::array<std::byte, 512> copy{};
                            std::memcpy(copy.data(), in.payload().data(), in.size());
                            auto payload = std::span{copy}.first(in.size());
                            const bool now = ++heard == 10;
                            if (!(now && o.has("unheard")))
                                one.log.received(in.source(), in.destination(), payload);
                            if (!(now && o.has("unsaid")))
                                one.log.sent(in.destination(), in.source(), payload);
                            if (now && o.has("lost"))
                                return;
                            if (now && o.has("altered"))
                                payload.back() ^= std::byte{1};
                            const auto whom = now && o.has("stranger") ? rpmsg::address{4321} : in.source();
                            if (!to.try_send_from(in.destination(), whom, payload))
                                one.log.note("not sent");
                            if (now && o.has("death"))
                                std::abort();
                        }};
    check(to.open(rpmsg::address{501}).has_value() && raw.open("rpmsg-raw").has_value(), "cannot open");
    one.log.note("open rpmsg-raw {}", raw.local().value());
    one.run();
}

}  // namespace host
