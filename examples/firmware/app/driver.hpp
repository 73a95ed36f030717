#pragma once

#include "messages.hpp"

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace app {

/// The driver's core: has the device go through everything, counts, and compares.
///
/// A step that does not end is a hang, which whoever started the machine notices.
///
/// @tparam Platform  Sleeps, says what was found, ends the machine: see the board.hpp of each pair.
template <typename Platform, typename First, typename Second>
class driver {
public:
    driver(First& first, Second& second) noexcept : first_{first}, second_{second} {}

    [[noreturn]] void run()
    {
        must(control_.open("fw.control") && echo_.open("fw.echo") && count_.open("fw.count") &&
                 hold_.open("fw.hold") && stream_.open("fw.stream") && echo_of_second_.open("fw.echo") &&
                 watch_.open() && known_.open(static_of_driver, rpmsg::towards{static_of_device}) &&
                 answers_.open(answers_of_driver, rpmsg::towards{questions_of_device}),
             "open");
        until([&] { return all_bound(); });
        name_services();
        Platform::say("three ways to find each other: good");
        echoes(first_, echo_, first_.max_payload());
        echoes(second_, echo_of_second_, second_.max_payload());
        Platform::say("echoes of every length on two links: good");
        counted();
        Platform::say("10000 messages to the device, built in place: good");
        streamed();
        Platform::say("10000 messages from the device, held and released out of order: good");
        back_pressure();
        Platform::say("a full ring, and a sender that slept: good");
        crossed();
        Platform::say("10000 questions each way, asked inside receivers: good");
        restarted();
        Platform::say("a core that began anew in the middle: good");
        measured();
        must(first_.stats().total() + second_.stats().total() == 0, "nothing was dropped here");
        Platform::finish(0);
    }

private:
    using bytes = std::span<const std::byte>;
    static constexpr std::chrono::hours for_ever{1};  // of a clock that stands still

    static void must(bool holds, const char* what)
    {
        if (holds)
            return;
        Platform::say(what);
        Platform::finish(1);
    }
    template <typename Done>
    void until(Done done)
    {
        while (!done()) {
            first_.poll();
            second_.poll();
            if (!done())
                Platform::sleep_unless([&] { return first_.has_work() || second_.has_work(); });
        }
    }
    bool all_bound()
    {
        return control_.is_bound() && echo_.is_bound() && count_.is_bound() && hold_.is_bound() &&
               stream_.is_bound() && echo_of_second_.is_bound();
    }
    report ask(request what, std::uint32_t number = 0)
    {
        const order out{static_cast<std::uint32_t>(what), number};
        reported_ = false;
        until([&] { return control_.try_send(std::as_bytes(std::span{&out, 1})).has_value(); });
        until([&] { return reported_; });
        return last_report_;
    }

    void name_services()
    {
        // A static endpoint: both ends know both addresses.
        known_answer_ = {};
        must(known_.try_send(numbered{7, 9}).has_value(), "send to a static endpoint");
        until([&] { return known_answer_.number != 0; });
        must(known_answer_.number == 7 && known_answer_.filling == ~9U, "the static endpoint's answer");

        // Created when its announcement is heard.
        static_cast<void>(ask(request::appear));
        until([&] { return created_.is_bound(); });
        echoed_ = nothing_yet;
        must(created_.try_send(std::as_bytes(std::span{&rounds, 1})).has_value(),
             "send to a created endpoint");
        until([&] { return echoed_ != nothing_yet; });
        must(echoed_ == sizeof rounds, "the created endpoint's answer");
    }

    template <typename Bus, typename Endpoint>
    void echoes(Bus& /*bus*/, Endpoint& end, std::uint32_t longest)
    {
        must(longest == 512 - 16, "payloads of 496 bytes");
        for (std::uint32_t length = 0; length <= longest; ++length) {
            for (std::uint32_t i = 0; i != length; ++i)
                sent_[i] = static_cast<std::byte>(i * 7 + length);
            echoed_ = nothing_yet;
            must(end.send(bytes{sent_}.first(length), for_ever).has_value(), "send for an echo");
            until([&] { return echoed_ != nothing_yet; });
            must(echoed_ == length, "an echo as it was sent");
        }
        must(end.try_send(bytes{sent_}.first(longest + 1)).error() == rpmsg::errc::too_long,
             "too long is said");
    }

    void counted()
    {
        checksum sum;
        for (std::uint32_t i = 0; i != rounds; ++i) {
            auto buffer = count_.acquire(for_ever);
            must(static_cast<bool>(buffer), "a buffer to build in");
            const auto room = buffer.payload();
            const auto length = 4 + i % (room.size() - 3);
            std::memcpy(room.data(), &i, sizeof i);
            for (std::size_t at = sizeof i; at < length; at += 61)
                room[at] = static_cast<std::byte>(i);
            sum.add(room.first(length));
            must(std::move(buffer).send(length).has_value(), "send in place");
            if (i % 64 == 0)
                first_.poll();
        }
        const auto found = ask(request::report);
        must(found.received == rounds, "all were received");
        must(found.checksum == sum.value(), "as they were sent");
        must(found.wrong == 0 && found.dropped == 0, "and nothing else");
    }

    void streamed()
    {
        streamed_ = 0;
        static_cast<void>(ask(request::stream, rounds));
        until([&] { return streamed_ == rounds; });
        must(good_, "a stream in order");
        give_back();
    }
    void give_back()
    {
        for (std::size_t i = kept_.size(); i != 0; --i)  // the last one first
            kept_[i - 1].release();
        keeps_ = 0;
    }

    void back_pressure()
    {
        // The device keeps up to twelve at a time, and what it does not keep fills the ring.
        std::uint32_t slept = 0;
        for (std::uint32_t i = 0; i != 600; ++i) {
            const auto payload = std::as_bytes(std::span{&i, 1});
            if (hold_.try_send(payload))
                continue;
            ++slept;  // until one comes back
            must(hold_.send(payload, for_ever).has_value(), "send into a full ring");
        }
        const auto found = ask(request::report);
        must(slept != 0, "the ring was full");
        must(found.held > 8 && found.wrong == 0, "buffers were held");
    }

    void crossed()
    {
        questions asks{first_, questions_of_driver, answers_of_device};
        static_cast<void>(ask(request::ask, rounds));
        until([&] { return asks.ask(rounds); });
        must(asks.good(), "answers in order");
        while (ask(request::report).answered != rounds) {}
        must(ask(request::report).wrong == 0, "answers in order at the device");
    }

    void restarted()
    {
        const auto before = first_.epoch();
        const auto lives = ask(request::report).lives;
        const order out{static_cast<std::uint32_t>(request::restart), 0};
        must(control_.send(std::as_bytes(std::span{&out, 1}), for_ever).has_value(),
             "send the order to restart");
        // Numbered echoes all the while: each comes once, in order, and only what was under way is lost.
        std::uint32_t number = 0;
        last_number_ = 0;
        numbers_ = 0;
        good_ = true;
        counts_numbers_ = true;
        const auto talk = [&] {
            while (number != 2000) {
                const auto next = number + 1;
                if (!echo_.is_bound() || !echo_.try_send(std::as_bytes(std::span{&next, 1})))
                    break;
                number = next;
            }
            return number == 2000 && last_number_ == 2000;
        };
        until([&] { return talk() && first_.epoch() != before && all_bound(); });
        counts_numbers_ = false;
        must(good_, "no message twice");
        must(number - numbers_ <= 32, "nothing lost but what was under way");
        const auto found = ask(request::report);
        must(found.lives == lives + 1, "the device began anew");
        must(found.received == 0, "and knows nothing of its life before");
        echoed_ = nothing_yet;
        must(echo_of_second_.send(bytes{sent_}.first(100), for_ever).has_value(), "send on the second link");
        until([&] { return echoed_ != nothing_yet; });
        must(echoed_ == 100, "an echo on the second link");
    }

    /// Round trips of 16 bytes, by the instructions of both cores together.
    void measured()
    {
        constexpr std::uint32_t times = 1000;
        const auto before = Platform::instructions();
        for (std::uint32_t i = 0; i != times; ++i) {
            echoed_ = nothing_yet;
            must(echo_.try_send(bytes{sent_}.first(16)).has_value(), "send for an echo");
            until([&] { return echoed_ != nothing_yet; });
        }
        Platform::say_figure("instructions of both cores for an echo of 16 bytes: ",
                             (Platform::instructions() - before) / times);
    }

    void hear_echo(rpmsg::message in)
    {
        const auto payload = in.payload();
        if (counts_numbers_) {
            std::uint32_t number = 0;
            if (payload.size() == sizeof number)
                std::memcpy(&number, payload.data(), sizeof number);
            good_ = good_ && number > last_number_;
            last_number_ = number;
            ++numbers_;
            return;
        }
        const bool same = payload.size() == sizeof rounds
                              ? true
                              : std::memcmp(payload.data(), sent_.data(), payload.size()) == 0;
        echoed_ = same ? static_cast<std::uint32_t>(payload.size()) : broken;
    }

    static constexpr std::uint32_t nothing_yet = 0xFFFF'FFFF;
    static constexpr std::uint32_t broken = 0xFFFF'FFFE;

    struct hears_report {
        driver* self;
        void operator()(bytes in) const
        {
            if (in.size() == sizeof(report))
                std::memcpy(&self->last_report_, in.data(), sizeof(report));
            self->reported_ = true;
        }
    };
    struct hears_echo {
        driver* self;
        void operator()(rpmsg::message in) const { self->hear_echo(in); }
    };
    struct hears_stream {
        driver* self;
        void operator()(rpmsg::rx_buffer in) const
        {
            const auto* const value = in.template as<numbered>();
            self->good_ = self->good_ && value != nullptr && value->number == self->streamed_ &&
                          value->filling == ~value->number;
            ++self->streamed_;
            self->kept_[self->keeps_++] = std::move(in);
            if (self->keeps_ == self->kept_.size())
                self->give_back();
        }
    };
    struct hears_known {
        driver* self;
        void operator()(const numbered& in) const { self->known_answer_ = in; }
    };
    struct returns_it {
        numbered operator()(const numbered& in) const { return in; }
    };
    struct hears_channel {
        driver* self;
        void operator()(const rpmsg::announcement& news) const
        {
            if (news.name() == std::string_view{"fw.dynamic"})
                must(self->created_.open(rpmsg::towards{news.address()}).has_value(),
                     "open what was announced");
        }
    };

    First& first_;
    Second& second_;
    std::array<std::byte, 512> sent_{};
    std::array<rpmsg::rx_buffer, 4> kept_{};
    std::size_t keeps_ = 0;
    report last_report_{};
    numbered known_answer_{};
    std::uint32_t echoed_ = nothing_yet;
    std::uint32_t streamed_ = 0;
    std::uint32_t last_number_ = 0;
    std::uint32_t numbers_ = 0;
    bool reported_ = false;
    bool counts_numbers_ = false;
    bool good_ = true;

    rpmsg::endpoint<typename First::basic, void, hears_report> control_{first_, hears_report{this}};
    rpmsg::endpoint<typename First::basic, void, hears_echo> echo_{first_, hears_echo{this}};
    rpmsg::endpoint<typename First::basic, void, hears_echo> created_{first_, hears_echo{this}};
    rpmsg::endpoint<typename First::basic, void, rpmsg::no_receiver> count_{first_};
    rpmsg::endpoint<typename First::basic, void, rpmsg::no_receiver> hold_{first_};
    rpmsg::endpoint<typename First::basic, void, hears_stream> stream_{first_, hears_stream{this}};
    rpmsg::endpoint<typename First::basic, numbered, hears_known> known_{first_, rpmsg::typed<numbered>,
                                                                         hears_known{this}};
    rpmsg::endpoint<typename First::basic, numbered, returns_it> answers_{first_, rpmsg::typed<numbered>,
                                                                          returns_it{}};
    rpmsg::endpoint<typename Second::basic, void, hears_echo> echo_of_second_{second_, hears_echo{this}};
    rpmsg::observer<typename First::basic, rpmsg::on_announced<hears_channel>> watch_{
        first_, rpmsg::on_announced{hears_channel{this}}};
};

}  // namespace app
