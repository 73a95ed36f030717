#pragma once

#include "../firmware/demo/link.hpp"
#include "../firmware/host_an521/emulator.hpp"
#include "counting.hpp"
#include "failure.hpp"
#include "fate.hpp"
#include "options.hpp"
#include "performance.hpp"
#include "screen.hpp"

#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/peer_process.hpp>
#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <unistd.h>

namespace demo {

/// A process that drives firmware.
struct beside_firmware : rpmsg::policy::board_defaults {
    using doorbell = uart_doorbell;
    using coherence = rpmsg::policy::smp;
    using address_map = rpmsg::policy::offset;
    using wait = uart_wait;
    using clock = rpmsg::platform::monotonic_clock;
    using lifecycle = rpmsg::platform::peer_process;
    using ring = rpmsg::policy::ring_up_to<64>;
    static constexpr std::size_t address_slots = 16;
};

/// The driver of a firmware: starts its machine, finds the table in its image, and talks to it.
inline void drive_firmware(const options& chosen, screen& out)
{
    using namespace rpmsg::platform;
    using board = counted<beside_firmware>;
    constexpr const auto& shared = firmware_link::layout;

    out.heading(fmt::format("A Linux process and the firmware of a Cortex-M33 talk RPMsg over {} KiB of the "
                            "machine's RAM.",
                            shared.size() / 1024));
    out.fact("driver", fmt::format("process {}", ::getpid()));

    emulator machine;
    const auto fate = [&] { return fate_of("the firmware's machine", machine.how(std::chrono::seconds{1})); };
    const auto started = machine.start(chosen.image.c_str(), {}, patience);
    if (!started && started.error() != rpmsg::errc::timed_out)
        throw failure{"cannot start the firmware's machine: {}", reason(started.error())};
    const auto begin = monotonic::now();
    if (!started)
        throw failure{"{} before the firmware ran", fate()};
    out.fact("device", fmt::format("Cortex-M33 firmware in QEMU's mps2-an521, process {}", machine.pid()));
    out.fact("doorbell",
             "a byte over the machine's UART1, which interrupts the firmware and wakes the process");
    out.fact("left out",
             "the device is not killed and started again: tools/demo without firmware shows that");

    if (const auto verdict = shared.check(machine.table()); !verdict)
        throw failure{"the table in the firmware's image: {}", verdict.reason()};
    process life;
    must(life.watch(machine.pid()), "cannot watch the firmware's machine");
    std::uint32_t doorbells = 0;
    rpmsg::policy::set<board> policies{};
    policies.doorbell = board::doorbell{uart_doorbell{machine}};
    policies.doorbell.count_into(doorbells);
    policies.address_map = {machine.ram(), places::ram};
    policies.wait = uart_wait{machine};
    policies.lifecycle = peer_process{life};
    rpmsg::driver_bus<board> bus{
        must(rpmsg::virtio::resource_table::find(machine.table()), "cannot use the table"),
        shared.pool(machine.memory(shared)), policies};

    const auto rows = perform(bus, begin, doorbells, chosen, out, fate, [](auto&&...) {});
    if (machine.how())
        throw failure{"{}", fate()};
    machine.stop();
    judge(rows);
}

}  // namespace demo
