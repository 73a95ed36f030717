#include "way_options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace tool {

std::string check_name(const std::string& text)
{
    return rpmsg::name::from_static(text.c_str())
               ? std::string{}
               : fmt::format("a channel's name has 1 to 31 characters, and '{}' has not", text);
}

std::string check_range::operator()(const std::string& text) const
{
    double number = 0;
    const bool good = CLI::detail::lexical_cast(text, number) && number >= least_ && number <= most_;
    return good ? std::string{} : fmt::format("{} is not a number from {} to {}", text, least_, most_);
}

void way_options::declare(CLI::App& command)
{
    command.add_option("name", name, "the channel")->required()->type_name("NAME")->check(check_name);
    command.add_option("--link", link, "over shared memory, with the `rpmsg serve --link` at this socket")
        ->type_name("SOCKET")
        ->required();
    command.add_option("--to", to, "the other side's address, not whoever serves the channel")
        ->type_name("ADDRESS")
        ->check(check_range{0, 0xFFFF'FFFE});
    command.add_option("--from", from, "our own address, not the next that is free")
        ->type_name("ADDRESS")
        ->check(check_range{0, 0xFFFF'FFFE});
    command.add_option("--wait", patience, "how long the other side may take to come, 10 by default")
        ->type_name("SECONDS")
        ->check(check_range{0, 86400});
}

}  // namespace tool
