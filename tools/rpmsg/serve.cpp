#include "channel_log.hpp"
#include "commands.hpp"
#include "dev_way.hpp"
#include "failure.hpp"
#include "guest_options.hpp"
#include "guest_way.hpp"
#include "link_way.hpp"
#include "meeting.hpp"
#include "output.hpp"
#include "services.hpp"
#include "waiting.hpp"
#include "way_options.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/platform/linux/link_files.hpp>
#include <rpmsg/platform/linux/vhost_user.hpp>
#include <rpmsg/rpmsg.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace tool {
namespace {

using namespace std::chrono_literals;
using namespace rpmsg::platform;

struct serve_options : service_options {
    std::string socket;
    bool link = false;
    guest_options offer;
    std::string device;
};

/// Serves until the user wants to stop, or `done` says so.
template <typename Way, typename Done>
void serve(Way& way, const serve_options& chosen, notebook& notes, Done done)
{
    auto& bus = way.bus();
    rpmsg::observer watch{bus, rpmsg::on_link{[&](rpmsg::link_state state) {
                              if (state == rpmsg::link_state::up)
                                  notes.note("the link is up, for messages of up to {} bytes",
                                             bus.max_payload());
                              else if (state == rpmsg::link_state::lost)
                                  notes.note("the link is lost");
                          }},
                          rpmsg::on_announced{[&](const rpmsg::announcement& news) {
                              notes.note("{}; it is not served", news);
                          }},
                          rpmsg::on_error{[&](rpmsg::fault cause) {
                              // Not more than a line each: whoever breaks the spec can do so often.
                              if (bus.stats()[cause] == 1)
                                  notes.note("the other side: {:l}", cause);
                          }}};
    must(watch.open(), "cannot watch the bus");
    services<typename Way::bus_type> offered{bus, chosen, notes};

    files watched;
    for (;;) {
        bool more = work(way);
        more = offered.work() || more;
        const bool over = done();
        notes.say_all();
        if (over || stop_asked())
            break;
        if (more)
            continue;
        watched.clear();
        way.add_files(watched);
        offered.add_files(watched);
        sleep_on(watched, offered.next());
    }
    offered.work();  // what came before the end
    bus.stop();      // tells the services' logs, too
    if (const auto faults = bus.stats().total(); faults != 0)
        notes.note("{} things were refused or dropped", faults);
}

/// What a visitor brings, or nothing: he was sent away, or the user wants to stop.
std::optional<link_files> take_link(const file_descriptor& visitor)
{
    files watched{{visitor.get(), POLLIN, 0}};
    sleep_on(watched, after(10s));
    if (stop_asked())
        return std::nullopt;
    return must(receive_link(visitor, 0s), "what came is no link");
}

void visit(file_descriptor visitor, const serve_options& chosen, notebook& notes)
{
    const auto who = process_behind(visitor);
    std::optional<link_device> way;
    try {
        if (auto shared = take_link(visitor))
            way.emplace(*std::move(shared), std::move(visitor));
    } catch (const failure& wrong) {
        notes.note("process {} was sent away: {}", who, wrong.what());
    }
    if (way) {
        notes.note("process {} came", who);
        serve(*way, chosen, notes, [&] { return way->has_gone(); });
        way.reset();
        notes.note("process {} has gone", who);
    }
    notes.say_all();
}

void serve_link(const serve_options& chosen)
{
    const auto here = listen_at(chosen.socket);
    notebook notes;
    notes.note("listening at {}", chosen.socket);
    notes.say_all();
    while (!stop_asked()) {
        files watched{{here.file().get(), POLLIN, 0}};
        sleep_on(watched, forever);
        if (auto visitor = here.accept())
            visit(*std::move(visitor), chosen, notes);
        else if (visitor.error() != rpmsg::errc::empty)
            must(std::move(visitor), "cannot take anybody in");
    }
}

template <typename Board>
void serve_guests(const serve_options& chosen)
{
    guest_way<Board> way{chosen.socket, chosen.offer};
    notebook notes;
    notes.note("listening at {}", chosen.socket);
    serve(way, chosen, notes, [&, here = false]() mutable {
        if (way.has_guest() != std::exchange(here, way.has_guest()))
            notes.note("{}", here ? "a guest came" : "the guest has gone");
        return false;
    });
    const auto seen = way.counts();
    notes.note("{} guests came; {} doorbells were heard and {} rung; {} requests made no sense", seen.guests,
               seen.kicks, seen.calls, seen.refused);
    notes.say_all();
}

/// The other side is the remote processor's: we announce as firmware does, from the Linux side.
void serve_device(serve_options chosen)
{
    constexpr std::uint32_t fixed =
        0x200;  // Linux announces only what has an address, and gives 0x400 and on away
    chosen.from = chosen.from.value_or(fixed);
    dev_way way{chosen.device};
    notebook notes;
    notes.note("serving over /dev");
    serve(way, chosen, notes, [] { return false; });
    notes.say_all();
}

}  // namespace

void add_serve(CLI::App& program)
{
    const auto chosen = std::make_shared<serve_options>();
    auto& command = *program.add_subcommand("serve", "Is the other side: what firmware would be.");
    auto* const socket = command.add_option("socket", chosen->socket,
                                            "where to listen; without it, it serves over /dev/rpmsg*");
    socket->type_name("SOCKET");
    command
        .add_option("--dev", chosen->device, "of /dev/rpmsg* those of this device: remoteproc0, virtio1, …")
        ->type_name("DEVICE")
        ->excludes(socket);
    auto* const link =
        command.add_flag("--link", chosen->link, "for another process over shared memory, not for a guest");
    link->needs(socket);
    for (auto* const option : chosen->offer.declare(command))
        option->needs(socket)->excludes(link);
    command.add_option("--echo", chosen->echo, "a channel whose messages are sent back; as many as you like")
        ->type_name("NAME")
        ->check(check_name)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    auto* const exec = command.add_option("--exec", chosen->exec,
                                          "a shell command that gets messages and whose output is sent");
    exec->type_name("COMMAND");
    auto* const lines = command.add_flag("--lines", chosen->lines, "a message is a line to that command");
    auto* const source = command.add_flag("--source", chosen->source, "sends numbered messages");
    auto* const sink = command.add_flag("--sink", chosen->sink, "takes what comes");
    auto* const name = command.add_option("--name", chosen->name,
                                          "the channel of --exec, --source or --sink, rpmsg-raw by default");
    name->type_name("NAME")->check(check_name);
    auto* const size = command.add_option("--size", chosen->size,
                                          "bytes of the source's messages, as many as fit by default");
    size->type_name("BYTES")->check(check_range{1, 65519});
    auto* const interval = command.add_option("--interval", chosen->interval,
                                              "from one to the next, 0 by default: as fast as they go");
    interval->type_name("SECONDS")->check(check_range{0, 3600});

    command
        .add_option("--from", chosen->from,
                    "the address of the first channel, the next that is free by default")
        ->type_name("ADDRESS")
        ->check(check_range{1, 0xFFFF'FF00});

    exec->excludes(source)->excludes(sink);
    source->excludes(sink);
    lines->needs(exec);
    size->needs(source);
    interval->needs(source);
    command.callback([chosen, name] {
        const bool by_name = !chosen->exec.empty() || chosen->source || chosen->sink;
        if (!by_name && *name)
            throw failure{status::bad_input, "--name is for --exec, --source or --sink"};
        if (!by_name && chosen->echo.empty())
            throw failure{status::bad_input, "nothing to serve: one of --echo, --exec, --source, --sink"};
        take_signals();
        if (chosen->socket.empty())
            serve_device(*chosen);
        else if (chosen->link)
            serve_link(*chosen);
        else if (chosen->offer.event_idx)
            serve_guests<event_idx_board>(*chosen);
        else
            serve_guests<vhost_user_board>(*chosen);
    });
}

}  // namespace tool
