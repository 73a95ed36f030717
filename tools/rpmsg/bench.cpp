#include "commands.hpp"
#include "failure.hpp"
#include "output.hpp"
#include "pattern.hpp"
#include "waiting.hpp"
#include "way_options.hpp"
#include "ways.hpp"

#include <rpmsg/rpmsg.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tool {
namespace {

struct bench_options : way_options {
    std::vector<std::uint32_t> sizes{16, 64, 256, 496};
    std::vector<std::uint32_t> windows{1, 8, 64};
    double seconds = 0.5;
    bool json = false;
};

/// One size and one window.
struct measurement {
    std::uint32_t size = 0;
    std::uint32_t window = 0;
    std::uint64_t messages = 0;  ///< That came back.
    std::uint64_t wrong = 0;
    seconds time{};

    [[nodiscard]] double per_second() const
    {
        return time.count() > 0 ? static_cast<double>(messages) / time.count() : 0;
    }
};

/// Messages of one measurement that are under way.
class flow {
public:
    explicit flow(measurement& seen) : seen_{seen} {}

    [[nodiscard]] std::uint32_t in_flight() const noexcept { return next_ - first_; }
    [[nodiscard]] std::uint32_t next() const noexcept { return next_; }
    void sent() noexcept { ++next_; }
    /// Answers come in the order of questions.
    void hear(std::span<const std::byte> answer) noexcept
    {
        if (in_flight() == 0)
            return;
        ++seen_.messages;
        if (answer.size() != seen_.size || !is_intact(answer, first_))
            ++seen_.wrong;
        ++first_;
    }

private:
    measurement& seen_;
    std::uint32_t first_ = 0;
    std::uint32_t next_ = 0;
};

/// Rings once for all that is sent while it lives, on buses that can.
template <typename Bus>
auto together(Bus& bus)
{
    if constexpr (requires { rpmsg::batch<typename Bus::basic>{bus}; })
        return rpmsg::batch<typename Bus::basic>{bus};
    else
        return 0;
}

/// Keeps the window full until the time is over, and then waits for what is under way.
template <typename Way, typename Endpoint>
void run(Way& way, Endpoint& probe, flow& messages, measurement& seen, double time)
{
    constexpr seconds answer_time{5};
    std::vector<std::byte> payload(seen.size);
    const auto begin = monotonic::now();
    const auto enough = begin + std::chrono::ceil<monotonic::duration>(seconds{time});
    auto end = begin;
    // false: there is no buffer.
    const auto send_next = [&] {
        fill(payload, messages.next());
        const auto sent = probe.try_send(payload);
        if (sent.error() == rpmsg::errc::full)
            return false;
        must(sent, "cannot send");
        messages.sent();
        return true;
    };
    while (end < enough && !stop_asked()) {
        {
            [[maybe_unused]] const auto one_ring = together(way.bus());
            while (messages.in_flight() != seen.window && send_next()) {}
        }
        const auto before = seen.messages;
        const bool moved = work_until(way, after(answer_time), [&] {
            return seen.messages != before || (messages.in_flight() == 0 && send_next());
        });
        end = monotonic::now();
        if (!moved && !stop_asked())
            throw failure{status::failed, "nothing came back for {} s", answer_time.count()};
    }
    seen.time = end - begin;
    const auto counted = seen.messages;
    if (!work_until(way, after(answer_time), [&] { return messages.in_flight() == 0; }) && !stop_asked())
        throw failure{status::failed, "{} messages did not come back", messages.in_flight()};
    seen.messages = counted;
}

void show_head(const bench_options& chosen, std::string_view way)
{
    say("{} over {}: messages that went and came back", chosen.name, way);
    say("  {:>6}  {:>6}  {:>12}  {:>10}", "bytes", "window", "messages/s", "MB/s");
}

void show(const measurement& seen)
{
    say("  {:>6}  {:>6}  {:>12.0f}  {:>10.2f}", seen.size, seen.window, seen.per_second(),
        seen.per_second() * seen.size / 1e6);
    flush_output();
}

void show_json(const bench_options& chosen, std::string_view way, const std::vector<measurement>& all)
{
    std::string runs;
    for (const auto& m : all)
        runs +=
            fmt::format(R"({}{{"size": {}, "window": {}, "messages": {}, "wrong": {}, "seconds": {:.6f}, )"
                        R"("messages_per_second": {:.1f}, "bytes_per_second": {:.1f}}})",
                        runs.empty() ? "" : ", ", m.size, m.window, m.messages, m.wrong, m.time.count(),
                        m.per_second(), m.per_second() * m.size);
    say(R"({{"channel": {}, "way": {}, "runs": [{}]}})", json(chosen.name), json(way), runs);
}

template <typename Way>
void measure_all(Way& way, const bench_options& chosen, moment patience, std::vector<measurement>& all)
{
    std::optional<flow> messages;
    rpmsg::endpoint probe{way.bus(), [&](std::span<const std::byte> answer) {
                              if (messages)
                                  messages->hear(answer);
                          }};
    if (!reach(way, probe, chosen, patience))
        return;
    check_size(way, *std::max_element(chosen.sizes.begin(), chosen.sizes.end()));
    if (!chosen.json)
        show_head(chosen, Way::kind);
    for (const auto size : chosen.sizes)
        for (const auto window : chosen.windows) {
            measurement seen{.size = size, .window = window};
            messages.emplace(seen);
            run(way, probe, *messages, seen, chosen.seconds);
            messages.reset();
            if (stop_asked())
                return;  // half a measurement is none
            all.push_back(seen);
            if (!chosen.json)
                show(seen);
        }
}

template <typename Way>
void bench(Way& way, const bench_options& chosen, moment patience)
{
    std::vector<measurement> all;
    try {
        measure_all(way, chosen, patience, all);
    } catch (const failure&) {
        if (chosen.json && !all.empty())
            show_json(chosen, Way::kind, all);
        throw;
    }
    if (chosen.json)
        show_json(chosen, Way::kind, all);
    std::uint64_t wrong = 0;
    for (const auto& m : all)
        wrong += m.wrong;
    if (wrong != 0)
        throw failure{status::failed, "{} messages were not what was sent", wrong};
}

}  // namespace

void add_bench(CLI::App& program)
{
    const auto chosen = std::make_shared<bench_options>();
    auto& command = *program.add_subcommand("bench", "Measures how many messages an endpoint echoes.");
    chosen->declare(command);
    command.add_option("--size", chosen->sizes, "bytes of each message, 16,64,256,496 by default")
        ->type_name("BYTES,...")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(check_range{4, 65519});
    command.add_option("--window", chosen->windows, "messages under way at a time, 1,8,64 by default")
        ->type_name("N,...")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(check_range{1, 65535});
    command.add_option("--seconds", chosen->seconds, "time for each of them, 0.5 by default")
        ->type_name("SECONDS")
        ->check(check_range{0.001, 3600});
    command.add_flag("--json", chosen->json, "say it for a script");
    command.callback(
        [chosen] { go(*chosen, [&](auto& way, moment patience) { bench(way, *chosen, patience); }); });
}

}  // namespace tool
