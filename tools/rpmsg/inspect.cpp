#include "commands.hpp"
#include "failure.hpp"
#include "inspect_show.hpp"
#include "inspect_source.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include <unistd.h>

namespace tool {

namespace {

namespace policy = rpmsg::policy;
using inspection::question;

struct wishes {
    std::string file;
    question asked;
    std::uint64_t base = 0;
    std::uint64_t to_driver = 0;
    std::uint64_t to_device = 0;
    std::uint64_t status = 0;
    std::string dialect = "linux";
    std::string layout;
    bool as_json = false;
    bool shows_all = false;
};

template <typename Dialect>
void speak(question& asked)
{
    asked.rule = Dialect::alignment;
    asked.prefilled = Dialect::prefills_used_ring;
}

void inspect(const CLI::App& command, wishes wish)
{
    auto& asked = wish.asked;
    if (wish.dialect == "rpmsg-lite")
        speak<policy::rpmsg_lite>(asked);
    else
        speak<policy::linux_kernel>(asked);
    if (!wish.layout.empty())
        asked.rule =
            wish.layout == "rpmsg-lite" ? policy::ring_alignment::rpmsg_lite : policy::ring_alignment::virtio;
    if (command.count("--ring-to-driver") != 0)
        asked.ring = {wish.to_driver, wish.to_device};
    if (command.count("--status") != 0)
        asked.status = wish.status;

    const inspection::source from{wish.file};
    if (asked.at >= from.size())
        throw failure{status::bad_input, "--at {:#x} is outside {}: it has {} bytes", asked.at, from.title(),
                      from.size()};
    const auto seen = look_at(from, wish.base, asked);
    if (!seen.found.problem.empty())
        throw failure{status::bad_input, "{}: {}", from.title(), seen.found.problem};
    const inspection::look how{.title = from.title(),
                               .is_live = from.is_live(),
                               .is_torn = seen.is_torn,
                               .is_coloured =
                                   ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr,
                               .shows_all = wish.shows_all};
    fmt::print("{}", wish.as_json ? to_json(seen.found, how) : draw(seen.found, how));
    if (const auto faults = seen.found.faults.count(); faults != 0)
        throw failure{status::failed, "{} breaks the spec in {} {}", from.title(), faults,
                      faults == 1 ? "place" : "places"};
}

}  // namespace

void add_inspect(CLI::App& program)
{
    auto* const command =
        program.add_subcommand("inspect", "Shows the links in a memory dump or in live shared memory.");
    const auto wish = std::make_shared<wishes>();
    command->footer(
        "The status is 0 when nothing breaks the spec, 1 when something does, and 2 when there is nothing\n"
        "to look at. Numbers may be hexadecimal (0x3ed00000). Memory is only read.");
    command
        ->add_option("FILE|PID:FD", wish->file, "A dump, a file in /dev/shm, or a process's file descriptor")
        ->required();
    auto* const at = command->add_option(
        "--at", wish->asked.at, "Where in the file the resource table is; if not there, it is searched");
    command->add_option("--base", wish->base, "The address that the peers use for the file's first byte");
    auto* const device =
        command->add_option("--device", wish->asked.device, "Which of the table's RPMsg devices, from 0");
    command->add_flag("--json", wish->as_json, "For scripts: one JSON object");
    command->add_flag("--all", wish->shows_all, "Every slot, message and byte, however many");
    command
        ->add_option("--dialect", wish->dialect,
                     "Who wrote it: linux, openamp, zephyr, or rpmsg-lite (its layout, and a used ring that\n"
                     "its driver fills before it starts)")
        ->check(CLI::IsMember({"linux", "openamp", "zephyr", "rpmsg-lite"}));
    command->add_option("--layout", wish->layout, "The rings' layout: virtio, or rpmsg-lite")
        ->check(CLI::IsMember({"virtio", "rpmsg-lite"}));

    auto* const to_driver =
        command->add_option("--ring-to-driver", wish->to_driver,
                            "Without a table: the address of the ring from device to driver");
    auto* const to_device =
        command->add_option("--ring-to-device", wish->to_device, "And of the ring from driver to device");
    auto* const num = command->add_option("--num", wish->asked.num, "Descriptors of each ring");
    auto* const align = command->add_option("--align", wish->asked.align, "Alignment of their used rings");
    auto* const status =
        command->add_option("--status", wish->status, "Address of a status byte, as Zephyr has it");
    to_driver->needs(to_device)->needs(num)->needs(align)->excludes(at)->excludes(device);
    to_device->needs(to_driver);
    num->needs(to_driver);
    align->needs(to_driver);
    status->needs(to_driver);
    command->callback([command, wish] { inspect(*command, *wish); });
}

}  // namespace tool
