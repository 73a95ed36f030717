#include "screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace demo {
namespace {

constexpr std::string_view bold = "\033[1m";
constexpr std::string_view dim = "\033[2m";
constexpr std::string_view red = "\033[31m";
constexpr std::string_view green = "\033[32m";
constexpr std::string_view normal = "\033[0m";

/// The longest line that is drawn again and again: a narrower terminal would break it in two.
constexpr unsigned widest = 80;
constexpr std::size_t bar_width = 24;

bool is_wide_terminal()
{
    const char* const kind = std::getenv("TERM");
    ::winsize size{};
    return ::isatty(STDOUT_FILENO) == 1 && kind != nullptr && std::string_view{kind} != "dumb" &&
           ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= widest;
}

bool writes_utf8()
{
    return std::setlocale(LC_CTYPE, "") != nullptr && std::string_view{::nl_langinfo(CODESET)} == "UTF-8";
}

}  // namespace

std::string grouped(std::uint64_t number)
{
    auto text = std::to_string(number);
    for (auto at = text.size(); at > 3;)
        text.insert(at -= 3, 1, ' ');
    return text;
}

screen::screen()
    : moves_{is_wide_terminal()},
      colours_{::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr},
      wide_characters_{writes_utf8()}
{
    // Whoever reads us through a pipe sees a line when it is written, too.
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
}

void screen::wipe()
{
    if (line_is_open_)
        fmt::print("\r\033[K");
    line_is_open_ = false;
}

void screen::heading(std::string_view text)
{
    wipe();
    fmt::print("{}{}{}\n\n", paint(bold), text, paint(normal));
}

void screen::gap()
{
    wipe();
    fmt::print("\n");
}

void screen::fact(std::string_view label, std::string_view text)
{
    wipe();
    fmt::print("  {}{:<11}{} {}\n", paint(dim), label, paint(normal), text);
}

bool screen::wants_progress() const
{
    using namespace std::chrono_literals;
    return moves_ && monotonic::now() - drawn_ >= 50ms;
}

void screen::progress(std::string_view label, double share, std::string_view text)
{
    if (!wants_progress())
        return;
    drawn_ = monotonic::now();
    line_is_open_ = true;
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(bar_width));
    std::string bar;
    for (std::size_t i = 0; i != bar_width; ++i)
        bar += i < filled ? (wide_characters_ ? "█" : "#") : (wide_characters_ ? "░" : "-");
    fmt::print("\r\033[K  {:<11} {}{}{} {:3.0f} %  {}", label, paint(green), bar, paint(normal), share * 100,
               text);
    std::fflush(stdout);
}

void screen::verdict(std::string_view label, bool good, std::string_view text)
{
    wipe();
    fmt::print("  {:<11} {}{}{} {}\n", label, paint(good ? green : red), good ? "ok " : "BAD", paint(normal),
               text);
}

std::string_view screen::level(unsigned height) const
{
    constexpr std::array<std::string_view, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    constexpr std::array<std::string_view, 8> ascii{"_", ".", ",", "-", "~", "=", "*", "#"};
    return (wide_characters_ ? blocks : ascii)[std::min(height, 7U)];
}

void screen::table(std::span<row> rows)
{
    wipe();
    fmt::print("\n{}{:>64}{:>11}\n", paint(bold), "round trip, us    ", "doorbells");
    fmt::print("  {:<15}{:>11}{:>10}{:>9}{:>9}{:>9}{:>10}{:>9}{:>8}{}\n", "channel", "messages", "MB/s",
               "p50", "p99", "max", "/message", "dropped", "errors", paint(normal));
    for (auto& r : rows) {
        const auto quantile = [&r](double share) {
            return r.round_trips.empty() ? std::string{"-"}
                                         : fmt::format("{:.1f}", r.round_trips.quantile(share).count());
        };
        const auto count = [this](std::uint64_t bad, int width) {
            return fmt::format("{}{:>{}}{}", paint(bad != 0 ? red : ""), bad, width,
                               paint(bad != 0 ? normal : ""));
        };
        const double time = std::max(r.time.count(), 1e-9);
        const auto each = static_cast<double>(std::max<std::uint64_t>(r.messages, 1));
        fmt::print("  {:<15}{:>11}{:>10.1f}{:>9}{:>9}{:>9}{:>10.2f}{}{}\n", r.channel, grouped(r.messages),
                   static_cast<double>(r.bytes) / time / 1e6, quantile(0.5), quantile(0.99), quantile(1),
                   static_cast<double>(r.doorbells) / each, count(r.dropped, 9), count(r.errors, 8));
    }
}

bool screen::went_well() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

}  // namespace demo
