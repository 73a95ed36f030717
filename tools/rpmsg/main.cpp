/// rpmsg: looks at RPMsg links, talks over them, and serves them. Each command is a file of its own.

#include "commands.hpp"
#include "failure.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace {

/// Standard streams that came closed fail when they are used: no other file is to get their numbers.
void hold_streams()
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream)
        if (::fcntl(stream, F_GETFD) < 0)
            ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int run(int argc, char** argv)
{
    CLI::App program{"Looks at RPMsg links, talks over them, and serves them.", "rpmsg"};
    program.require_subcommand(1);
    program.failure_message(CLI::FailureMessage::simple);
    tool::add_list(program);
    tool::add_serve(program);
    tool::add_ping(program);
    tool::add_bench(program);
    tool::add_cat(program);
    tool::add_inspect(program);
    try {
        program.parse(argc, argv);
    } catch (const CLI::Success& help) {
        program.exit(help);
    } catch (const CLI::ParseError& wrong) {
        std::string line = wrong.what();
        std::replace(line.begin(), line.end(), '\n', ' ');
        fmt::print(stderr, "rpmsg: {} (see rpmsg --help)\n", line);
        return tool::status::bad_input;
    }
    tool::flush_output();
    return 0;
}

/// @return  The program's status.
int fail(const char* why, int code)
{
    std::fflush(stdout);
    fmt::print(stderr, "rpmsg: {}\n", why);
    return code;
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        hold_streams();
        std::signal(SIGPIPE, SIG_IGN);  // a pipe that nobody reads is an error of write()
        return run(argc, argv);
    } catch (const tool::failure& wrong) {
        return fail(wrong.what(), wrong.code());
    } catch (const std::exception& wrong) {
        return fail(wrong.what(), tool::status::failed);
    }
}
