/// rpmsg: looks at RPMsg links, talks over them, and serves them. Each command is a file of its own.

#include "commands.hpp"
#include "failure.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <exception>

namespace {

int run(int argc, char** argv)
{
    CLI::App program{"Looks at RPMsg links, talks over them, and serves them.", "rpmsg"};
    program.require_subcommand(1);
    tool::add_inspect(program);
    try {
        program.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
        return program.exit(help);
    } catch (const CLI::ParseError& wrong) {
        fmt::print(stderr, "rpmsg: {} (see rpmsg --help)\n", wrong.what());
        return tool::status::bad_input;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        return run(argc, argv);
    } catch (const tool::failure& wrong) {
        std::fflush(stdout);
        fmt::print(stderr, "rpmsg: {}\n", wrong.what());
        return wrong.code();
    } catch (const std::exception& wrong) {
        std::fflush(stdout);
        fmt::print(stderr, "rpmsg: {}\n", wrong.what());
        return tool::status::failed;
    }
}
