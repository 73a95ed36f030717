#pragma once

#include "channel_note.hpp"

#include <rpmsg/rpmsg.hpp>

#include <optional>
#include <utility>

namespace demo {

/// A typed question over a channel, and a typed answer.
///
/// One endpoint hears the answers; the questions are of another type, so another endpoint makes them, and
/// sends them in the first one's name.
template <typename Bus, typename Question, typename Answer>
class caller {
public:
    explicit caller(Bus& bus, rpmsg::on_bound<channel_note> note = channel_note{}) noexcept
        : answers_{bus, rpmsg::typed<Answer>, taker{this}, note},
          questions_{bus, rpmsg::typed<Question>}
    {}

    /// Talks to whoever announces this channel, or to this endpoint of the peer.
    template <typename Where>
    rpmsg::result<void> open(Where where) noexcept
    {
        const auto opened = answers_.open(where);
        return opened ? questions_.open(rpmsg::any_address) : opened;
    }
    void close() noexcept
    {
        static_cast<void>(answers_.close());
        static_cast<void>(questions_.close());
    }

    /// Asks, if there is a buffer for it.
    ///
    /// @param build  Fills the question in, where the peer is going to read it.
    template <typename Build>
    bool ask(Build build)
    {
        auto question = questions_.try_acquire();
        if (!question)
            return false;
        build(*question);
        answer_.reset();
        return std::move(question).send_from(answers_.local(), answers_.peer()).has_value();
    }

    [[nodiscard]] bool is_bound() const noexcept { return answers_.is_bound(); }
    [[nodiscard]] bool has_answer() const noexcept { return answer_.has_value(); }
    /// @pre has_answer()
    [[nodiscard]] const Answer& answer() const noexcept { return *answer_; }

private:
    struct taker {
        caller* self;
        void operator()(rpmsg::in_place<const Answer&> heard) const noexcept { self->answer_ = *heard; }
    };

    rpmsg::endpoint<Bus, Answer, taker, rpmsg::on_bound<channel_note>> answers_;
    rpmsg::endpoint<Bus, Question, rpmsg::no_receiver> questions_;
    std::optional<Answer> answer_;
};

}  // namespace demo
