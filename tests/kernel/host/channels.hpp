#pragma once

#include "kernel/host/echo.hpp"
#include "kernel/host/options.hpp"
#include "kernel/host/served.hpp"

#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace host {

/// Opens and closes a channel as the guest orders, and greets the channels that the guest announces.
template <rpmsg::policy::board Board>
class channels {
public:
    explicit channels(const options& o) : one_{o, 0}
    {
        check(orders_.open(rpmsg::address{60}).has_value() && watch_.open().has_value(), "cannot open");
        echo_.open_at(echo_address);
    }
    void run()
    {
        // Not in the receiver: a withdrawal that follows the answer would be read by the guest before it.
        one_.run([this] {
            if (wanted_.empty())
                return;
            if (wanted_ == "open")
                theirs_.announce("rpmsg-raw", rpmsg::address{900});
            else
                theirs_.close();
            wanted_.clear();
            const auto answer = std::as_bytes(std::span{std::string_view{"done"}});
            check(orders_.send(answer, 1s).has_value(), "cannot answer an order");
            one_.log.sent(orders_.local(), orders_.peer(), answer);
        });
    }

private:
    using bus_type = typename served<Board>::bus_type::basic;

    void on_order(rpmsg::message in)
    {
        one_.log.received(in.source(), in.destination(), in.payload());
        wanted_.assign(reinterpret_cast<const char*>(in.payload().data()), in.size());
    }
    void on_news(const rpmsg::announcement& news, std::string_view what)
    {
        one_.log.note("{} {} {}", what, news.name(), news.address().value());
        if (what == "withdrawn") {
            static_cast<void>(greeter_.close());
            return;
        }
        const auto greeting = "welcome, " + std::string{news.name()};
        const auto bytes = std::as_bytes(std::span{greeting});
        const auto sent = greeter_.open(rpmsg::towards{news.address()}) && greeter_.try_send(bytes);
        if (sent)
            one_.log.sent(greeter_.local(), greeter_.peer(), bytes);
    }

    struct ordered {
        channels* self;
        void operator()(rpmsg::message in) const { self->on_order(in); }
    };
    struct came {
        channels* self;
        void operator()(const rpmsg::announcement& news) const { self->on_news(news, "announced"); }
    };
    struct went {
        channels* self;
        void operator()(const rpmsg::announcement& news) const { self->on_news(news, "withdrawn"); }
    };

    served<Board> one_;
    std::string wanted_;
    rpmsg::endpoint<bus_type, void, ordered> orders_{one_.bus, ordered{this}};
    rpmsg::endpoint<bus_type, void, rpmsg::no_receiver> greeter_{one_.bus, rpmsg::no_receiver{}};
    rpmsg::observer<bus_type, rpmsg::on_announced<came>, rpmsg::on_withdrawn<went>> watch_{
        one_.bus, rpmsg::on_announced<came>{came{this}}, rpmsg::on_withdrawn<went>{went{this}}};
    echo<typename served<Board>::bus_type> echo_{one_.bus, one_.log};
    echo<typename served<Board>::bus_type> theirs_{one_.bus, one_.log};
};

}  // namespace host
