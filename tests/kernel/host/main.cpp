// host MODE SOCKET… [--WORD…] [NAME…]: the remote processor that a guest of tests/kernel/guest talks to, on the library
// and nothing else. It ends at SIGTERM. Its stdout is a record: see recorder.hpp.

#include "kernel/host/channels.hpp"
#include "kernel/host/echo.hpp"
#include "kernel/host/flow.hpp"
#include "kernel/host/handles.hpp"
#include "kernel/host/misbehaving.hpp"
#include "kernel/host/options.hpp"
#include "kernel/host/served.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <span>
#include <stdexcept>

namespace {

template <rpmsg::policy::board Board>
void serve(const host::options& o)
{
    if (o.mode == "echo")
        host::serve_echo<Board>(o);
    else if (o.mode == "channels")
        host::channels<Board>{o}.run();
    else if (o.mode == "old-handles")
        host::keeper_of_old<Board>{o}.run();
    else if (o.mode == "holding")
        host::serve_holding<Board>(o);
    else if (o.mode == "soak")
        host::soaked<Board>{o}.run();
    else if (o.mode == "counting")
        host::counted<Board>{o}.run();
    else if (o.mode == "wrong")
        host::serve_wrongly<Board>(o);
    else if (o.mode == "two")
        host::serve_two(o);
    else
        throw std::invalid_argument{"no such mode"};
}

}  // namespace

int main(int argc, char** argv)
{
    std::signal(SIGTERM, host::on_signal);
    std::signal(SIGUSR1, host::on_signal);
    try {
        const host::options o{std::span{argv, static_cast<std::size_t>(argc)}.subspan(1)};
        if (o.has("event-idx"))
            serve<host::event_idx_board>(o);
        else
            serve<host::plain_board>(o);
        return 0;
    } catch (const std::exception& wrong) {
        fmt::print(stderr, "host: {}\n", wrong.what());
        return 1;
    }
}
