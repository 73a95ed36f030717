#include "commands.hpp"
#include "failure.hpp"
#include "output.hpp"

#include <rpmsg/platform/fmt.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace tool {
namespace {

namespace fs = std::filesystem;

struct list_options {
    std::string root = "/";
    bool json = false;
};

using address = std::optional<std::uint32_t>;  ///< Nothing: any, or it cannot be read.

/// A device of the kernel's rpmsg bus: a channel.
struct channel {
    std::string device;
    std::string name;
    address source;
    address destination;
    std::string driver;  ///< Empty: none has taken it.
};

/// What a program can open.
struct node {
    std::string path;
    std::string kind;  ///< "control", "endpoint" or "tty".
    std::string name;  ///< Of an endpoint.
    address source;
    address destination;
    std::string parent;  ///< The device that it belongs to.
    bool present;        ///< In /dev: udev makes it some time after the kernel.
};

std::string first_line(const fs::path& file)
{
    std::ifstream in{file};
    std::string line;
    std::getline(in, line);
    return line;
}

/// The kernel writes 0x400 for channels and 1024 for endpoints, and 0xffffffff or -1 for any.
address read_address(const fs::path& file)
{
    const auto text = first_line(file);
    char* end = nullptr;
    const auto number = std::strtoll(text.c_str(), &end, 0);
    if (end == text.c_str() || number < 0 || number >= 0xFFFF'FFFF)
        return std::nullopt;
    return static_cast<std::uint32_t>(number);
}

/// The last part of where a link leads, or nothing.
std::string leads_to(const fs::path& link)
{
    std::error_code why;
    return fs::read_symlink(link, why).filename().string();
}

/// Each entry of a directory that begins like this, in order of its number; none where there is no such directory.
std::vector<fs::path> entries(const fs::path& directory, std::string_view prefix)
{
    std::vector<fs::path> found;
    std::error_code why;
    for (const auto& entry : fs::directory_iterator{directory, why})
        if (entry.path().filename().string().starts_with(prefix))
            found.push_back(entry.path());
    std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
        const auto left = a.string();
        const auto right = b.string();
        return std::pair{left.size(), left} < std::pair{right.size(), right};  // rpmsg9 before rpmsg10
    });
    return found;
}

std::vector<channel> channels_of(const fs::path& root)
{
    std::vector<channel> all;
    for (const auto& device : entries(root / "sys/bus/rpmsg/devices", ""))
        all.push_back({.device = device.filename().string(),
                       .name = first_line(device / "name"),
                       .source = read_address(device / "src"),
                       .destination = read_address(device / "dst"),
                       .driver = leads_to(device / "driver")});
    return all;
}

std::vector<node> nodes_of(const fs::path& root)
{
    std::vector<node> all;
    const auto add = [&](const fs::path& entry, std::string kind) {
        const auto name = entry.filename().string();
        const bool is_endpoint = kind == "endpoint";
        std::error_code why;
        all.push_back({.path = "/dev/" + name,
                       .kind = std::move(kind),
                       .name = is_endpoint ? first_line(entry / "name") : std::string{},
                       .source = is_endpoint ? read_address(entry / "src") : std::nullopt,
                       .destination = is_endpoint ? read_address(entry / "dst") : std::nullopt,
                       .parent = leads_to(entry / "device"),
                       .present = fs::exists(root / "dev" / name, why)});
    };
    for (const auto& entry : entries(root / "sys/class/rpmsg", "rpmsg_ctrl"))
        add(entry, "control");
    for (const auto& entry : entries(root / "sys/class/rpmsg", "rpmsg"))
        if (!entry.filename().string().starts_with("rpmsg_ctrl"))
            add(entry, "endpoint");
    for (const auto& entry : entries(root / "sys/class/tty", "ttyRPMSG"))
        add(entry, "tty");
    // What is in /dev alone was left there by a kernel module that has gone, or /sys is not that kernel's.
    for (const auto& entry : entries(root / "dev", "rpmsg"))
        if (std::none_of(all.begin(), all.end(),
                         [&](const node& n) { return n.path == "/dev/" + entry.filename().string(); }))
            add(entry, "unknown");
    return all;
}

std::string show(address a) { return a ? fmt::format("{:#x}", *a) : "any"; }
std::string show(const std::string& text) { return text.empty() ? "-" : rpmsg::platform::escaped(text); }

void show(const std::vector<channel>& channels, const std::vector<node>& nodes)
{
    if (channels.empty() && nodes.empty()) {
        say("no channels, and no nodes in /dev");
        return;
    }
    if (!channels.empty()) {
        say("{:<32} {:>10} {:>10}  {:<16} {}", "CHANNEL", "SOURCE", "PEER", "DRIVER", "DEVICE");
        for (const auto& c : channels)
            say("{:<32} {:>10} {:>10}  {:<16} {}", show(c.name), show(c.source), show(c.destination),
                show(c.driver), show(c.device));
    }
    if (!nodes.empty()) {
        if (!channels.empty())
            say("");
        say("{:<32} {:>10} {:>10}  {:<16} {}", "NODE", "SOURCE", "PEER", "ENDPOINT", "DEVICE");
        for (const auto& n : nodes) {
            const bool is_endpoint = n.kind == "endpoint";
            say("{:<32} {:>10} {:>10}  {:<16} {}", n.path + (n.present ? "" : " (not there yet)"),
                is_endpoint ? show(n.source) : "-", is_endpoint ? show(n.destination) : "-",
                is_endpoint ? show(n.name) : "-", show(n.parent));
        }
    }
}

std::string to_json(address a) { return a ? fmt::format("{}", *a) : "null"; }
std::string to_json(const std::string& text) { return text.empty() ? "null" : json(text); }

template <typename T>
std::string to_json(const std::vector<T>& all, const std::function<std::string(const T&)>& one)
{
    std::string text;
    for (const auto& each : all)
        text += (text.empty() ? "" : ", ") + one(each);
    return "[" + text + "]";
}

void show_json(const std::vector<channel>& channels, const std::vector<node>& nodes)
{
    const auto as_channel = [](const channel& c) {
        return fmt::format(R"({{"device": {}, "name": {}, "source": {}, "destination": {}, "driver": {}}})",
                           to_json(c.device), to_json(c.name), to_json(c.source), to_json(c.destination),
                           to_json(c.driver));
    };
    const auto as_node = [](const node& n) {
        return fmt::format(
            R"({{"path": {}, "kind": {}, "name": {}, "source": {}, "destination": {}, "device": {}, "present": {}}})",
            to_json(n.path), to_json(n.kind), to_json(n.name), to_json(n.source), to_json(n.destination),
            to_json(n.parent), n.present);
    };
    say(R"({{"channels": {}, "nodes": {}}})", to_json<channel>(channels, as_channel),
        to_json<node>(nodes, as_node));
}

void list(const list_options& chosen)
{
    const fs::path root{chosen.root};
    const auto channels = channels_of(root);
    const auto nodes = nodes_of(root);
    std::error_code why;
    if (channels.empty() && nodes.empty() && !fs::is_directory(root / "sys/bus/rpmsg", why))
        throw failure{status::failed, "this kernel has no RPMsg: there is no {}",
                      (root / "sys/bus/rpmsg").string()};
    (chosen.json ? show_json : static_cast<decltype(&show_json)>(show))(channels, nodes);
}

}  // namespace

void add_list(CLI::App& program)
{
    const auto chosen = std::make_shared<list_options>();
    auto& command =
        *program.add_subcommand("list", "Lists the kernel's channels, and the nodes in /dev to open.");
    command.add_option("--root", chosen->root, "where /sys and /dev are, / by default")
        ->type_name("DIRECTORY")
        ->check(CLI::ExistingDirectory);
    command.add_flag("--json", chosen->json, "say it for a script");
    command.callback([chosen] { list(*chosen); });
}

}  // namespace tool
