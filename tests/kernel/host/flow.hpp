#pragma once

#include "kernel/host/echo.hpp"
#include "kernel/host/options.hpp"
#include "kernel/host/served.hpp"
#include "kernel/pattern.hpp"

#include <rpmsg/rpmsg.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace host {

/// Hears the pattern's messages to the host, and sends one of those to the guest for each. Never waits: without a
/// buffer it goes on when it is told that there is one.
template <rpmsg::policy::board Board>
class soaked {
public:
    explicit soaked(const options& o) : one_{o, 0}
    {
        check(raw_.open("rpmsg-raw").has_value() && room_.open().has_value(), "cannot open");
    }
    ~soaked() { one_.log.note("heard {} sent {} wrong {} waited {}", heard_, sent_, wrong_, waited_); }
    soaked(const soaked&) = delete;
    soaked& operator=(const soaked&) = delete;
    void run() { one_.run(); }

private:
    using bus_type = typename served<Board>::bus_type::basic;

    void on_message(rpmsg::message in)
    {
        // A copy, once: the guest could change it between two looks.
        std::array<std::byte, pattern::longest> copy{};
        const auto size = std::min(in.size(), copy.size());
        std::memcpy(copy.data(), in.payload().data(), size);
        if (!pattern::is(pattern::way::to_host, heard_, {copy.data(), size}))
            ++wrong_;
        ++heard_;
        send();
    }
    void send()
    {
        while (sent_ != heard_) {
            auto buffer = raw_.try_acquire();
            if (!buffer) {
                ++waited_;
                return;
            }
            std::array<std::byte, pattern::longest> bytes{};
            const auto message = pattern::make(pattern::way::to_guest, sent_, bytes);
            std::memcpy(buffer.payload().data(), message.data(), message.size());
            if (!std::move(buffer).send(message.size()))
                ++wrong_;
            ++sent_;
        }
    }

    struct hears {
        soaked* self;
        void operator()(rpmsg::message in) const { self->on_message(in); }
    };
    struct has_room {
        soaked* self;
        void operator()() const { self->send(); }
    };

    std::uint32_t heard_ = 0;
    std::uint32_t sent_ = 0;
    std::uint32_t wrong_ = 0;
    std::uint32_t waited_ = 0;
    served<Board> one_;
    rpmsg::endpoint<bus_type, void, hears> raw_{one_.bus, hears{this}};
    rpmsg::observer<bus_type, rpmsg::on_tx_ready<has_room>> room_{
        one_.bus, rpmsg::on_tx_ready<has_room>{has_room{this}}};
};

/// Echoes, takes bursts in, sends bursts out, and says how many kicks came and calls went.
template <rpmsg::policy::board Board>
class counted {
public:
    explicit counted(const options& o) : one_{o, 0}
    {
        echo_.open_at(echo_address);
        check(counter_.open(rpmsg::address{61}).has_value() && sink_.open(rpmsg::address{62}).has_value() &&
                  source_.open(rpmsg::address{63}).has_value() && room_.open().has_value(),
              "cannot open");
    }
    void run() { one_.run(); }

private:
    using bus_type = typename served<Board>::bus_type::basic;
    struct counts {
        std::uint64_t kicks;
        std::uint64_t calls;
    };

    /// As many as there is room for, by one doorbell.
    void send()
    {
        static constexpr std::array<std::byte, 16> message{};
        const rpmsg::batch together{one_.bus};
        while (owed_ != 0 && source_.try_send(message))
            --owed_;
    }

    struct asked {
        counted* self;
        counts operator()(rpmsg::message /*in*/) const
        {
            const auto now = self->one_.end.counts();
            return {now.kicks, now.calls};
        }
    };
    /// The message of one byte is the last, and is answered.
    struct swallows {
        counted* self;
        void operator()(rpmsg::message in) const
        {
            if (in.size() == 1)
                static_cast<void>(self->sink_.try_send_to(in.source(), {}));
        }
    };
    struct orders {
        counted* self;
        void operator()(rpmsg::message in) const
        {
            if (in.size() == sizeof self->owed_)
                std::memcpy(&self->owed_, in.payload().data(), sizeof self->owed_);
            self->send();
        }
    };
    struct has_room {
        counted* self;
        void operator()() const { self->send(); }
    };

    std::uint32_t owed_ = 0;
    served<Board> one_;
    echo<typename served<Board>::bus_type> echo_{one_.bus, one_.log};
    rpmsg::endpoint<bus_type, void, asked> counter_{one_.bus, asked{this}};
    rpmsg::endpoint<bus_type, void, swallows> sink_{one_.bus, swallows{this}};
    rpmsg::endpoint<bus_type, void, orders> source_{one_.bus, orders{this}};
    rpmsg::observer<bus_type, rpmsg::on_tx_ready<has_room>> room_{
        one_.bus, rpmsg::on_tx_ready<has_room>{has_room{this}}};
};

}  // namespace host
