#include "commands.hpp"
#include "failure.hpp"
#include "output.hpp"
#include "pattern.hpp"
#include "spread.hpp"
#include "waiting.hpp"
#include "way_options.hpp"
#include "ways.hpp"

#include <rpmsg/rpmsg.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tool {
namespace {

struct ping_options : way_options {
    std::uint32_t count = 10;
    std::uint32_t size = 32;
    double interval = 0.1;
    double timeout = 1;
    bool json = false;
};

/// What came of it so far.
struct ping_outcome {
    std::uint32_t sent = 0;
    std::uint32_t wrong = 0;  ///< Answered by something else.
    spread times;

    [[nodiscard]] std::size_t answered() const { return times.count() + wrong; }
};

/// Whether it answers an earlier question, whose time was over.
bool is_late(std::span<const std::byte> answer, std::size_t size, std::uint32_t number)
{
    const auto answered = number_of(answer);
    return answer.size() == size && size >= sizeof answered && answered < number &&
           is_intact(answer, answered);
}

/// One question at a time, so the answer to it is the next message.
template <typename Way>
void ask(Way& way, const ping_options& chosen, moment patience, ping_outcome& seen)
{
    std::vector<std::byte> question(chosen.size);
    bool answered = false;
    bool as_sent = false;
    rpmsg::endpoint probe{way.bus(), [&](std::span<const std::byte> answer) {
                              if (is_late(answer, question.size(), seen.sent - 1))
                                  return;
                              answered = true;
                              as_sent = answer.size() == question.size() && is_intact(answer, seen.sent - 1);
                          }};
    if (!reach(way, probe, chosen, patience))
        return;
    check_size(way, question.size());

    while (seen.sent != chosen.count && !stop_asked()) {
        fill(question, seen.sent);
        answered = false;
        const auto begin = monotonic::now();
        auto sent = probe.try_send(question);
        if (sent.error() == rpmsg::errc::full)
            work_until(way, begin + std::chrono::ceil<monotonic::duration>(seconds{chosen.timeout}), [&] {
                sent = probe.try_send(question);
                return sent.error() != rpmsg::errc::full;
            });
        if (stop_asked() && !sent)
            return;
        must(sent, "cannot send");
        ++seen.sent;

        moment end{};
        const bool came = work_until(way, after(seconds{chosen.timeout}), [&] {
            end = monotonic::now();
            return answered;
        });
        if (came && as_sent)
            seen.times.add(end - begin);
        else if (came)
            ++seen.wrong;
        else if (stop_asked())
            --seen.sent;  // nobody waited long enough for this one
        if (seen.sent != chosen.count && chosen.interval > 0)
            work_until(way, begin + std::chrono::ceil<monotonic::duration>(seconds{chosen.interval}),
                       [] { return false; });
    }
}

void show(std::string_view way, const ping_options& chosen, const ping_outcome& seen)
{
    say("{}: {} of {} messages of {} bytes came back over {}", chosen.name, seen.times.count(), seen.sent,
        chosen.size, way);
    if (seen.times.empty())
        return;
    const auto& t = seen.times;
    say("  min {:.1f}  mean {:.1f}  p50 {:.1f}  p99 {:.1f}  max {:.1f} us", t.quantile(0).count(),
        t.mean().count(), t.quantile(0.5).count(), t.quantile(0.99).count(), t.quantile(1).count());
    write_output(draw(t.columns()));
}

void show_json(std::string_view way, const ping_options& chosen, const ping_outcome& seen)
{
    std::string times = "null";
    std::string columns;
    if (const auto& t = seen.times; !t.empty()) {
        times =
            fmt::format(R"({{"min": {:.3f}, "mean": {:.3f}, "p50": {:.3f}, "p99": {:.3f}, "max": {:.3f}}})",
                        t.quantile(0).count(), t.mean().count(), t.quantile(0.5).count(),
                        t.quantile(0.99).count(), t.quantile(1).count());
        for (const auto& c : t.columns())
            columns += fmt::format(R"({}{{"from_us": {:.3f}, "to_us": {:.3f}, "count": {}}})",
                                   columns.empty() ? "" : ", ", c.from, c.to, c.count);
    }
    say(R"({{"channel": {}, "way": {}, "size": {}, "sent": {}, "received": {}, "wrong": {}, "lost": {}, )"
        R"("round_trip_us": {}, "histogram": [{}]}})",
        json(chosen.name), json(way), chosen.size, seen.sent, seen.times.count(), seen.wrong,
        seen.sent - seen.answered(), times, columns);
}

template <typename Way>
void ping(Way& way, const ping_options& chosen, moment patience)
{
    ping_outcome seen;
    const auto tell = [&] {
        if (!seen.times.empty())
            seen.times.sort();
        (chosen.json ? show_json : show)(Way::kind, chosen, seen);
    };
    try {
        ask(way, chosen, patience, seen);
    } catch (const failure&) {
        if (seen.sent != 0)
            tell();
        throw;
    }
    tell();
    if (seen.wrong != 0)
        throw failure{status::failed, "{} of {} answers were not what was sent", seen.wrong, seen.sent};
    if (seen.answered() != seen.sent)
        throw failure{status::failed, "{} of {} messages were not answered", seen.sent - seen.answered(),
                      seen.sent};
}

}  // namespace

void add_ping(CLI::App& program)
{
    const auto chosen = std::make_shared<ping_options>();
    auto& command = *program.add_subcommand("ping", "Measures round trips to an endpoint that echoes.");
    chosen->declare(command);
    command.add_option("--count", chosen->count, "how many messages, 10 by default")
        ->type_name("N")
        ->check(check_range{1, 1'000'000});
    command.add_option("--size", chosen->size, "bytes of each, 32 by default")
        ->type_name("BYTES")
        ->check(check_range{0, 65519});
    command.add_option("--interval", chosen->interval, "from one to the next, 0.1 by default")
        ->type_name("SECONDS")
        ->check(check_range{0, 3600});
    command.add_option("--timeout", chosen->timeout, "after which a message is lost, 1 by default")
        ->type_name("SECONDS")
        ->check(check_range{0.001, 3600});
    command.add_flag("--json", chosen->json, "say it for a script");
    command.callback(
        [chosen] { go(*chosen, [&](auto& way, moment patience) { ping(way, *chosen, patience); }); });
}

}  // namespace tool
