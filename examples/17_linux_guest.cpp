// A process as the remote processor of a Linux guest: a driver in a kernel, or a program over /dev/ttyRPMSG0, talks to
// this as if it were firmware. It is a console that knows three words, and an echo. User-mode Linux finds it with
// virtio_uml.device=SOCKET:7 (docs/linux.md). Without --for it runs until it is stopped.
#include "support/text.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/platform/linux/vhost_user.hpp>
#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

using namespace std::literals;

namespace {

/// What the console answers: a few bytes of text.
std::string answer(std::string_view line, const rpmsg::platform::vhost_user_end& end)
{
    while (line.ends_with('\n') || line.ends_with('\r'))
        line.remove_suffix(1);
    if (line == "ping")
        return "pong\n";
    if (line == "who")
        return "a process on the host\n";
    if (line == "count") {
        const auto counts = end.counts();
        return fmt::format("{} doorbells in, {} out\n", counts.kicks, counts.calls);
    }
    return "say ping, who or count\n";
}

}  // namespace

int main(int count, char** words)
{
    int seconds = 0;  // without end
    const bool timed = count == 4 && std::strcmp(words[2], "--for") == 0 &&
                       std::from_chars(words[3], words[3] + std::strlen(words[3]), seconds).ec == std::errc{};
    if (count != 2 && !timed) {
        fmt::print(stderr, "usage: 17_linux_guest SOCKET [--for SECONDS]\n");
        return 2;
    }

    rpmsg::platform::vhost_user_end end;
    if (!end.listen(words[1])) {
        std::perror(words[1]);
        return 1;
    }
    using board = rpmsg::platform::vhost_user_board;
    rpmsg::device_bus<board, rpmsg::platform::vhost_user_transport> bus{end.transport(),
                                                                        end.policies<board>()};

    rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }};
    std::string due;
    rpmsg::endpoint console{bus, [&](rpmsg::message in) { due += answer(text(in.payload()), end); }};
    rpmsg::observer watch{bus, rpmsg::on_link{[](rpmsg::link_state now) {
                              fmt::print("link {}\n", now);
                              std::fflush(stdout);
                          }}};
    if (!watch.open() || !echo.open("rpmsg-raw") || !console.open("rpmsg-tty"))
        return 1;

    const rpmsg::policy::deadline<rpmsg::platform::monotonic_clock> stop{std::chrono::seconds{seconds}};
    while (!timed || !stop.passed()) {
        bus.poll();
        if (!due.empty() && console.send(bytes(due), 100ms))
            due.clear();
        bus.wait_work(timed ? 100ms : 10s);  // serves the socket, too
    }
    return 0;
}
