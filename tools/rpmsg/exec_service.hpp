#pragma once

#include "channel_log.hpp"
#include "filter.hpp"
#include "service.hpp"
#include "waiting.hpp"

#include <rpmsg/rpmsg.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// Messages go to the standard input of a shell command, and its output comes back as messages.
///
/// The command is started when somebody uses the channel, and ended when he goes. When it ends by itself, the channel
/// is withdrawn and announced anew. What it does not read stays in the link's buffers, so that the sender waits.
template <typename Bus>
class exec_service {
    struct receiver {
        exec_service* self;

        void operator()(rpmsg::rx_buffer in) const
        {
            self->log_.took(in.payload().size());
            self->waiting_.push_back(std::move(in));
        }
    };

public:
    exec_service(Bus& bus, const std::string& name, rpmsg::address local, std::string command, bool lines,
                 notebook& notes)
        : bus_{bus},
          command_{std::move(command)},
          lines_{lines},
          log_{name, local, notes},
          endpoint_{make_served<Bus>(bus, log_, receiver{this})}
    {
        announce();
    }

    /// @return  Whether there is more to do at once.
    bool work()
    {
        using namespace std::chrono_literals;
        if (monotonic::now() >= again_)
            announce();
        if (!endpoint_.is_bound() && waiting_.empty()) {
            end_program();
            return false;
        }
        if (!program_) {
            program_.emplace(command_);
            started_ = monotonic::now();
        }
        write_messages();
        bool more = true;
        for (int i = 0; more && i != turn; ++i)
            more = send_output() && read_output();
        if (!over_ || !output_.empty())
            return more;

        end_program();
        log_.notes().note("{}: the program has ended", log_.name());
        must(endpoint_.close(), "cannot withdraw " + log_.name());
        again_ = started_ + 1s;  // one that ends at once is not started all the time
        return true;
    }
    /// When it is to work again, even if nothing happened.
    [[nodiscard]] moment next() const { return again_; }

    void add_files(files& watched)
    {
        if (!program_)
            return;
        if (!waiting_.empty() && !deaf_)
            watched.push_back({program_->input(), POLLOUT, 0});
        if (output_.size() < room() && !over_)
            watched.push_back({program_->output(), POLLIN, 0});
    }

private:
    static constexpr int turn = 64;  ///< Messages; then others get theirs.

    void announce()
    {
        open_served(endpoint_, log_);
        again_ = forever;
    }

    void end_program()
    {
        program_.reset();
        waiting_.clear();
        output_.clear();
        written_ = 0;
        over_ = deaf_ = false;
    }

    /// In lines: the message and a newline.
    void write_messages()
    {
        constexpr std::array newline{std::byte{'\n'}};
        while (!waiting_.empty() && !deaf_) {
            const auto payload = waiting_.front().payload();
            const std::span<const std::byte> rest =
                written_ < payload.size() ? payload.subspan(written_) : std::span{newline};
            if (lines_ || written_ < payload.size()) {
                const auto count = program_->write(rest);
                if (count.error() == rpmsg::errc::full)
                    return;
                deaf_ = !count;
                written_ += count.value_or(0);
            }
            if (written_ >= payload.size() + (lines_ ? 1 : 0)) {
                waiting_.pop_front();
                written_ = 0;
            }
        }
        if (deaf_)
            waiting_.clear();
    }

    /// Reads up to a message's length. @return  false: there is nothing now.
    bool read_output()
    {
        const auto before = output_.size();
        if (before >= room() || over_)
            return false;
        output_.resize(room());
        const auto count = program_->read(std::span{output_}.subspan(before));
        output_.resize(before + count.value_or(0));
        over_ = count.error() == rpmsg::errc::closed;
        return count.has_value() || over_;
    }

    /// Sends what is a message by now. @return  Whether there may be room for more.
    bool send_output()
    {
        while (!output_.empty()) {
            auto end = output_.end();
            if (lines_)
                end = std::find(output_.begin(), output_.end(), std::byte{'\n'});
            const bool is_line = end != output_.end();
            if (lines_ && !is_line && output_.size() < room() && !over_)
                return true;  // the rest of the line is to come
            const auto length =
                std::min<std::size_t>(static_cast<std::size_t>(end - output_.begin()), bus_.max_payload());
            if (const auto sent = endpoint_.try_send(std::span{output_}.first(length)); !sent)
                return false;  // full: the peer's doorbell is for us; or there is nobody any more
            log_.sent(length);
            output_.erase(output_.begin(),
                          output_.begin() + static_cast<std::ptrdiff_t>(length + (is_line ? 1 : 0)));
        }
        return true;
    }

    /// A message, and in lines its newline.
    [[nodiscard]] std::size_t room() const { return bus_.max_payload() + (lines_ ? 1U : 0U); }

    Bus& bus_;
    std::string command_;
    bool lines_;
    std::optional<filter> program_;
    std::deque<rpmsg::rx_buffer> waiting_;
    std::size_t written_ = 0;  ///< Of the first of them, and of its newline.
    std::vector<std::byte> output_;
    bool over_ = false;  ///< The program closed its output.
    bool deaf_ = false;  ///< The program closed its input.
    moment started_{};
    moment again_ = forever;  ///< When the channel is announced anew.
    channel_log log_;
    served<Bus, receiver> endpoint_;
};

}  // namespace tool
