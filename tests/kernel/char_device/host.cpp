// The remote processor that the guest talks to: `kernel_char_host SOCKET`. It does what its endpoint 60 is
// told to, and answers "done", or what was asked for.

#include <rpmsg/platform/linux/vhost_user.hpp>
#include <rpmsg/rpmsg.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <utility>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace rpmsg::platform;

namespace {

using clock_type = std::chrono::steady_clock;
using host_bus = rpmsg::device_bus<vhost_user_board, vhost_user_transport>;

constexpr rpmsg::address orders_address{60};
constexpr rpmsg::address sink_address{62};
constexpr rpmsg::address echo_address{77};

struct echo_receiver {
    std::uint32_t* last;
    rpmsg::payload_view operator()(rpmsg::message in) const
    {
        *last = in.source().value();
        return in.payload();
    }
};

/// A channel of the host's that comes and goes, and echoes.
struct channel {
    channel(host_bus& bus, std::string text, std::uint32_t& last) : name{std::move(text)}, echo{bus, {&last}}
    {}
    std::string name;
    rpmsg::endpoint<host_bus::basic, void, echo_receiver> echo;
};

class host {
public:
    explicit host(host_bus& bus) : bus_{bus} {}

    bool open()
    {
        return orders_.open(orders_address) && sink_.open(sink_address) && echo_.open(echo_address);
    }

    /// What is to be done outside of receivers.
    void turn()
    {
        if (!order_.empty())
            carry_out(std::exchange(order_, {}));
        for (; to_send_ != 0; --to_send_, ++sent_) {
            const auto number = std::as_bytes(std::span{&sent_, 1});
            if (!sink_.try_send_to(rpmsg::address{flooded_}, number))
                break;
        }
        if (!held_.empty() && clock_type::now() >= holds_until_)
            held_.clear();
    }
    [[nodiscard]] std::chrono::microseconds busy() const
    {
        return to_send_ != 0 || !held_.empty() ? 500us : 50ms;
    }

private:
    struct hears {
        host* self;
        void operator()(std::span<const std::byte> text, rpmsg::address from) const
        {
            self->order_.assign(reinterpret_cast<const char*>(text.data()), text.size());
            self->asked_by_ = from.value();
        }
    };
    struct sinks {
        host* self;
        void operator()(rpmsg::rx_buffer in) const
        {
            ++self->sunk_;
            if (clock_type::now() < self->holds_until_)
                self->held_.push_back(std::move(in));
        }
    };

    void carry_out(const std::string& text)
    {
        std::istringstream words{text};
        std::string what;
        std::string name;
        words >> what;
        std::string answer = "done";
        if (what == "announce" && words >> name) {
            auto& made = channels_.emplace_back(std::make_unique<channel>(bus_, name, last_));
            if (!made->echo.open(*rpmsg::name::from_static(made->name.c_str())))
                answer = "not opened";
        } else if (what == "withdraw" && words >> name) {
            std::erase_if(channels_, [&](const auto& one) { return one->name == name; });
        } else if (what == "bound" && words >> name) {
            answer = "none";
            for (const auto& one : channels_)
                if (one->name == name && one->echo.is_bound())
                    answer = std::to_string(one->echo.peer().value());
        } else if (what == "source") {
            answer = std::to_string(last_);
        } else if (what == "flood") {
            words >> flooded_ >> to_send_;
            sent_ = 0;
        } else if (what == "hold") {
            unsigned milliseconds = 0;
            words >> milliseconds;
            holds_until_ = clock_type::now() + std::chrono::milliseconds{milliseconds};
        } else if (what == "count") {
            answer = std::to_string(std::exchange(sunk_, 0));
        } else if (what == "die") {
            ::_exit(0);
        } else {
            answer = "what?";
        }
        static_cast<void>(orders_.send_to(rpmsg::address{asked_by_}, std::as_bytes(std::span{answer}), 1s));
    }

    host_bus& bus_;
    std::string order_;
    std::uint32_t asked_by_ = 0;
    std::uint32_t last_ = 0;  // who sent to an echo
    std::uint32_t flooded_ = 0;
    std::uint32_t to_send_ = 0;
    std::uint32_t sent_ = 0;
    std::uint32_t sunk_ = 0;
    clock_type::time_point holds_until_{};
    std::deque<rpmsg::rx_buffer> held_;
    std::deque<std::unique_ptr<channel>> channels_;
    rpmsg::endpoint<host_bus::basic, void, hears> orders_{bus_, {this}};
    rpmsg::endpoint<host_bus::basic, void, sinks> sink_{bus_, {this}};
    rpmsg::endpoint<host_bus::basic, void, echo_receiver> echo_{bus_, {&last_}};
};

}  // namespace

int main(int count, char** words)
{
    vhost_user_end end;
    host_bus bus{end.transport(), end.policies<vhost_user_board>()};
    host served{bus};
    if (count != 2 || !end.listen(words[1]) || !served.open())
        return 1;
    std::puts("listens");
    std::fflush(stdout);
    for (;;) {
        bus.poll();
        served.turn();
        bus.wait_work(served.busy());
    }
}
