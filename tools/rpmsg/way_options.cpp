#include "way_options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <string>
#include <vector>

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

std::vector<CLI::Option*> guest_options::declare(CLI::App& command)
{
    return {command.add_flag("--event-idx", event_idx, "offer the guest VIRTIO_F_EVENT_IDX: fewer doorbells"),
            command.add_flag("--legacy", legacy, "do not offer the guest VIRTIO_F_VERSION_1"),
            command.add_flag("--inband", inband, "doorbells of the guest are messages on the socket")};
}

void way_options::declare(CLI::App& command)
{
    auto* const kernel =
        command.add_option("--guest", guest, "to a program in a Linux guest that comes to this socket");
    kernel->type_name("SOCKET");
    for (auto* const option : offer.declare(command))
        option->needs(kernel);
    command.add_option("name", name, "the channel")->required()->type_name("NAME")->check(check_name);
    auto* const process = command.add_option("--link", link, "to the `rpmsg serve --link` at this socket");
    process->type_name("SOCKET")->excludes(kernel);
    command
        .add_option("--dev", device,
                    "over /dev/rpmsg*, as by default, of this device: remoteproc0, virtio1, …")
        ->type_name("DEVICE")
        ->excludes(kernel)
        ->excludes(process);
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
