#include "options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

namespace demo {
namespace {

constexpr std::string_view help = R"(usage: demo [firmware] [OPTION]...

Two Linux processes talk RPMsg over one piece of shared memory: an echo service, a
telemetry stream, matrices multiplied by request and reply, and a burst without copies.
Then the device process is killed under load and started again, and the link comes back.

  --doorbell KIND  how they wake each other: eventfd (default) or futex
  --seconds S      time for all channels together: 0.1 to 3600 (default 6)
  --messages N     that many on each channel instead: 1 to 1000000000
  --quick          the same as --messages 2000
  --no-kill        do not kill the device process in the middle of a burst and start it again
  -h, --help       print this

demo firmware is the same with the firmware of a Cortex-M33 in QEMU as the device. It is not
killed: --doorbell, --no-kill, --role and --socket are for two processes. tools/demo firmware
builds it; by itself this program has to be told where it is:

  --image FILE     the firmware

One process starts the other. To start both by hand, in any order, in two terminals:

  --role ROLE      driver or device
  --socket PATH    where they meet: a path for an AF_UNIX socket

The status is 0 if all went well, 1 if a message was lost or wrong or a process died, and
2 for a bad option.
)";

constexpr std::uint32_t quick_messages = 2000;

}  // namespace

std::optional<options> read_options(int argc, const char* const* argv, int& status)
{
    options chosen;
    std::string bell_kind;
    std::string role_name;
    std::string word;
    double seconds = chosen.time.count();

    CLI::App app;
    auto* const firmware = app.add_option("firmware", word)->check([](const std::string& text) {
        return text == "firmware" ? std::string{} : fmt::format("there is no '{}', only 'firmware'", text);
    });
    auto* const image = app.add_option("--image", chosen.image)->type_name("FILE")->check(CLI::ExistingFile);
    auto* const bell = app.add_option("--doorbell", bell_kind)
                           ->type_name("KIND")
                           ->check(CLI::IsMember({"eventfd", "futex"}));
    auto* const time =
        app.add_option("--seconds", seconds)->type_name("S")->check([](const std::string& text) {
            double number = 0;
            const bool good = CLI::detail::lexical_cast(text, number) && number >= 0.1 && number <= 3600;
            return good ? std::string{} : fmt::format("{} is not a number from 0.1 to 3600", text);
        });
    auto* const count =
        app.add_option("--messages", chosen.messages)->type_name("N")->check(CLI::Range(1U, 1'000'000'000U));
    auto* const quick = app.add_flag("--quick");
    auto* const no_kill = app.add_flag("--no-kill");
    auto* const runs =
        app.add_option("--role", role_name)->type_name("ROLE")->check(CLI::IsMember({"driver", "device"}));
    auto* const socket = app.add_option("--socket", chosen.socket)->type_name("PATH");
    auto* const link =
        app.add_option("--link", chosen.link);  // how a driver tells its child; nobody types it

    time->excludes(count)->excludes(quick);
    count->excludes(quick);
    socket->needs(runs);
    link->needs(runs)->excludes(socket);
    firmware->excludes(bell)->excludes(no_kill)->excludes(runs)->excludes(socket)->excludes(link);
    image->needs(firmware);

    try {
        app.parse(argc, argv);
        if (*firmware && chosen.image.empty())
            throw CLI::ValidationError{"firmware",
                                       "has no --image; tools/demo firmware [OPTION]... builds one"};
        if (*runs && chosen.socket.empty() && chosen.link.empty())
            throw CLI::ValidationError{"--role", "the two need a --socket where they meet"};
        if (role_name == "device" && (*bell || *time || *count || *quick))
            throw CLI::ValidationError{"--role device", "all else is the driver's choice"};
        if (!chosen.link.empty() && role_name != "device")
            throw CLI::ValidationError{"--link", "is the device's"};
    } catch (const CLI::Success&) {
        fmt::print("{}", help);
        status = 0;
        return std::nullopt;
    } catch (const CLI::ParseError& wrong) {
        std::string line = wrong.what();
        std::replace(line.begin(), line.end(), '\n', ' ');
        fmt::print(stderr, "demo: {} (see --help)\n", line);
        status = 2;
        return std::nullopt;
    }
    if (*runs)
        chosen.runs = role_name == "driver" ? role::driver : role::device;
    if (*firmware)
        chosen.runs = role::beside_firmware;
    chosen.kill = chosen.runs == role::both && !*no_kill;  // somebody else's process is not ours to kill
    chosen.bell = bell_kind == "futex" ? doorbell::futex : doorbell::eventfd;
    chosen.time = std::chrono::duration<double>{seconds};
    if (*quick)
        chosen.messages = quick_messages;
    return chosen;
}

}  // namespace demo
