#include "commands.hpp"
#include "failure.hpp"
#include "output.hpp"
#include "waiting.hpp"
#include "way_options.hpp"
#include "ways.hpp"

#include <rpmsg/platform/linux/retried.hpp>
#include <rpmsg/rpmsg.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>
#include <unistd.h>

namespace tool {
namespace {

struct cat_options : way_options {
    bool lines = false;
    double linger = 0.5;
};

/// Standard input, cut into messages.
class input {
public:
    input(bool lines, std::size_t most) : lines_{lines}, most_{most} {}

    /// Reads what is there. @pre wants_more(), and there is something: it does not wait then.
    void read()
    {
        const auto before = bytes_.size();
        bytes_.resize(before + chunk);
        const auto count =
            rpmsg::platform::retried([&] { return ::read(STDIN_FILENO, bytes_.data() + before, chunk); });
        bytes_.resize(before + static_cast<std::size_t>(std::max<::ssize_t>(count, 0)));
        if (count < 0)
            throw failure{status::failed, "cannot read standard input: {}", reason(rpmsg::errc::system)};
        over_ = count == 0;
    }
    /// Whether there is room for more, and no message yet.
    [[nodiscard]] bool wants_more() const { return !over_ && !message(); }
    [[nodiscard]] bool is_over() const { return over_ && bytes_.empty(); }

    /// The next message, if it is there.
    [[nodiscard]] std::optional<std::span<const std::byte>> message() const
    {
        if (bytes_.empty())
            return std::nullopt;
        if (!lines_)
            return std::span{bytes_}.first(std::min(bytes_.size(), most_));
        const auto length = line();
        if (length > most_)
            throw failure{status::failed, "a line is longer than the {} bytes of a message", most_};
        if (length == bytes_.size() && !over_)
            return std::nullopt;
        return std::span{bytes_}.first(length);
    }
    /// It was sent.
    void take(std::size_t length)
    {
        const auto with_end = std::min(length + (lines_ ? 1 : 0), bytes_.size());
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(with_end));
    }

private:
    static constexpr std::size_t chunk = 65536;

    [[nodiscard]] std::size_t line() const
    {
        return static_cast<std::size_t>(std::find(bytes_.begin(), bytes_.end(), std::byte{'\n'}) -
                                        bytes_.begin());
    }

    bool lines_;
    std::size_t most_;
    std::vector<std::byte> bytes_;
    bool over_ = false;
};

template <typename Way>
void cat(Way& way, const cat_options& chosen, moment patience)
{
    std::string heard;  // a receiver cannot fail as standard output can
    bool withdrawn = false;
    rpmsg::endpoint talk{way.bus(),
                         [&](std::span<const std::byte> in) {
                             heard.append(reinterpret_cast<const char*>(in.data()), in.size());
                             if (chosen.lines)
                                 heard += '\n';
                         },
                         rpmsg::on_unbound{[&] { withdrawn = true; }}};
    if (!reach(way, talk, chosen, patience))
        return;

    input typed{chosen.lines, way.bus().max_payload()};
    const auto linger = std::chrono::ceil<monotonic::duration>(seconds{chosen.linger});
    auto silent_since = monotonic::now();
    while (!stop_asked()) {
        bool full = false;
        while (!withdrawn && !full) {
            const auto next = typed.message();
            if (!next)
                break;
            const auto sent = talk.try_send(*next);
            full = sent.error() == rpmsg::errc::full;
            if (full)
                break;
            must(sent, "cannot send");
            typed.take(next->size());
            silent_since = monotonic::now();
        }

        ::pollfd standard_input{typed.wants_more() && !withdrawn ? STDIN_FILENO : -1, POLLIN, 0};
        const bool ends = typed.is_over();
        sleep(way, ends ? silent_since + linger : forever, &standard_input);
        if (standard_input.revents != 0)
            typed.read();

        while (work(way)) {}
        if (!heard.empty()) {
            write_output(heard);
            flush_output();
            heard.clear();
            silent_since = monotonic::now();
        }
        if (withdrawn && !typed.is_over())
            throw failure{status::failed, "the other side closed {}", chosen.name};
        if (withdrawn || (ends && monotonic::now() >= silent_since + linger))
            return;
    }
}

}  // namespace

void add_cat(CLI::App& program)
{
    const auto chosen = std::make_shared<cat_options>();
    auto& command = *program.add_subcommand("cat", "Sends standard input, and prints what comes.");
    chosen->declare(command);
    command.add_flag("--lines", chosen->lines,
                     "a message is a line without its end, not what comes in one piece");
    command
        .add_option("--linger", chosen->linger,
                    "goes on after the end of input until nothing came for so long, 0.5 by default")
        ->type_name("SECONDS")
        ->check(check_range{0, 86400});
    command.callback(
        [chosen] { go(*chosen, [&](auto& way, moment patience) { cat(way, *chosen, patience); }); });
}

}  // namespace tool
