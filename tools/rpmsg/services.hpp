#pragma once

#include "channel_log.hpp"
#include "exec_service.hpp"
#include "failure.hpp"
#include "pattern.hpp"
#include "service.hpp"
#include "waiting.hpp"

#include <rpmsg/rpmsg.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace tool {

/// What is offered, and how.
struct service_options {
    std::vector<std::string> echo;   ///< Names of channels.
    std::string name = "rpmsg-raw";  ///< Of the channel of what follows.
    std::string exec;                ///< A shell command, or empty.
    bool lines = false;              ///< Of the command's: a line is a message.
    bool source = false;
    bool sink = false;
    std::uint32_t size = 0;  ///< Of the source's messages, 0: as long as they can be.
    std::optional<std::uint32_t>
        from;             ///< The address of the first channel, and the next ones follow; or any.
    double interval = 0;  ///< Of the source's messages, in seconds.
};

/// What comes is sent back.
template <typename Bus>
class echo_service {
    struct receiver {
        channel_log* log;

        rpmsg::payload_view operator()(rpmsg::message in) const noexcept
        {
            log->took(in.size());
            log->sent(in.size());
            return in.payload();
        }
    };

public:
    echo_service(Bus& bus, const std::string& name, rpmsg::address local, notebook& notes)
        : log_{name, local, notes},
          endpoint_{make_served<Bus>(bus, log_, receiver{&log_})}
    {
        open_served(endpoint_, log_);
    }

private:
    channel_log log_;
    served<Bus, receiver> endpoint_;
};

/// What comes is counted and forgotten.
template <typename Bus>
class sink_service {
    struct receiver {
        channel_log* log;

        void operator()(rpmsg::message in) const noexcept { log->took(in.size()); }
    };

public:
    sink_service(Bus& bus, const std::string& name, rpmsg::address local, notebook& notes)
        : log_{name, local, notes},
          endpoint_{make_served<Bus>(bus, log_, receiver{&log_})}
    {
        open_served(endpoint_, log_);
    }

private:
    channel_log log_;
    served<Bus, receiver> endpoint_;
};

/// Sends numbered messages (fill()) to whoever is there; what comes is forgotten.
template <typename Bus>
class source_service {
    struct receiver {
        channel_log* log;

        void operator()(rpmsg::message in) const noexcept { log->took(in.size()); }
    };

public:
    source_service(Bus& bus, const service_options& chosen, rpmsg::address local, notebook& notes)
        : bus_{bus},
          size_{chosen.size},
          interval_{std::chrono::ceil<monotonic::duration>(seconds{chosen.interval})},
          log_{chosen.name, local, notes},
          endpoint_{make_served<Bus>(bus, log_, receiver{&log_})}
    {
        open_served(endpoint_, log_);
    }

    /// @return  Whether there is more to send at once.
    bool work()
    {
        constexpr int turn = 64;  // then others get theirs
        if (!endpoint_.is_bound()) {
            number_ = 0;
            return false;
        }
        for (int i = 0; i != turn; ++i) {
            const auto now = monotonic::now();
            if (interval_.count() != 0 && now < next_)
                return false;
            payload_.resize(size_ == 0 ? bus_.max_payload() : std::min(size_, bus_.max_payload()));
            fill(payload_, number_);
            if (!endpoint_.try_send(payload_))
                return false;  // full: the peer's doorbell is for us
            log_.sent(payload_.size());
            ++number_;
            next_ = std::max(next_ + interval_, now);  // what was late is not made up for
        }
        return true;
    }
    /// When it is to work again, even if nothing happened.
    [[nodiscard]] moment next() const { return interval_.count() != 0 && number_ != 0 ? next_ : forever; }

private:
    Bus& bus_;
    std::uint32_t size_;
    monotonic::duration interval_;
    std::vector<std::byte> payload_;
    std::uint32_t number_ = 0;
    moment next_{};
    channel_log log_;
    served<Bus, receiver> endpoint_;
};

/// All that one bus offers.
template <typename Bus>
class services {
public:
    services(Bus& bus, const service_options& chosen, notebook& notes)
    {
        auto local = chosen.from;
        const auto next_local = [&local] { return local ? rpmsg::address{(*local)++} : rpmsg::any_address; };
        for (const auto& name : chosen.echo)
            echoes_.emplace_back(bus, name, next_local(), notes);
        if (chosen.source)
            source_.emplace(bus, chosen, next_local(), notes);
        if (chosen.sink)
            sink_.emplace(bus, chosen.name, next_local(), notes);
        if (!chosen.exec.empty())
            exec_.emplace(bus, chosen.name, next_local(), chosen.exec, chosen.lines, notes);
    }

    /// After each poll of the bus. @return  Whether there is more to do at once.
    bool work()
    {
        const bool more = source_ && source_->work();
        return (exec_ && exec_->work()) || more;
    }
    void add_files(files& watched)
    {
        if (exec_)
            exec_->add_files(watched);
    }
    [[nodiscard]] moment next() const
    {
        return std::min(source_ ? source_->next() : forever, exec_ ? exec_->next() : forever);
    }

private:
    std::list<echo_service<Bus>> echoes_;
    std::optional<source_service<Bus>> source_;
    std::optional<sink_service<Bus>> sink_;
    std::optional<exec_service<Bus>> exec_;
};

}  // namespace tool
