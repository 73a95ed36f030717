#pragma once

#include "places.hpp"

#include <rpmsg/platform/linux/await_readable.hpp>
#include <rpmsg/platform/linux/monotonic_clock.hpp>
#include <rpmsg/platform/linux/shared_memory.hpp>
#include <rpmsg/platform/linux/spawn.hpp>
#include <rpmsg/platform/linux/time_left.hpp>
#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

/// The machine as the process sees it: QEMU is its child, the machine's RAM is memory of the process's, and the
/// machine's UART1 is the socket between the two.
class emulator {
public:
    using deadline = rpmsg::policy::deadline<rpmsg::platform::monotonic_clock>;

    /// No machine.
    emulator() noexcept = default;

    /// Starts it, and waits for its first ring: the firmware runs, so its table is in the RAM.
    ///
    /// @param image    The firmware's ELF file.
    /// @param options  More of QEMU's.
    /// @return  errc::timed_out: it did not ring, or has ended (how() tells), and is there nevertheless.
    ///          errc::system: there is none.
    rpmsg::result<void> start(const char* image, std::span<const std::string> options, deadline until)
    {
        using namespace rpmsg::platform;
        auto memory = shared_memory::create(places::ram_size, "rpmsg-firmware-ram");
        if (!memory)
            return memory.error();
        ram_ = *std::move(memory);

        const auto backend = "memory-backend-file,id=ram,share=on,size=" + std::to_string(places::ram_size) +
                             ",mem-path=/proc/" + std::to_string(::getpid()) + "/fd/" +
                             std::to_string(ram_.fd());
        const auto uart = std::string{"socket,id=uart,fd="} + child_process::socket_argument;
        // It is killed when this process is.
        std::vector<const char*> arguments{"--pdeathsig", "KILL", "qemu-system-arm"};
        for (const char* const one :
             {"-M", "mps2-an521,memory-backend=ram", "-display", "none", "-monitor", "none", "-serial",
              "null", "-semihosting-config", "enable=on,target=native", "-object", backend.c_str(),
              "-chardev", uart.c_str(), "-serial", "chardev:uart", "-kernel", image})
            arguments.push_back(one);
        for (const auto& one : options)
            arguments.push_back(one.c_str());
        auto child = child_process::start("/usr/bin/setpriv", arguments);
        if (!child)
            return child.error();
        qemu_ = *std::move(child);

        std::array<char, 1> ring{};
        if (const auto rang = await_readable(socket(), until); !rang)
            return rang;
        if (::recv(socket(), ring.data(), ring.size(), MSG_DONTWAIT | MSG_PEEK) <= 0)
            return rpmsg::errc::timed_out;
        return {};
    }

    [[nodiscard]] std::span<std::byte> ram() const noexcept { return ram_.bytes(); }
    /// The part of it that holds the table.
    [[nodiscard]] std::span<std::byte> table() const noexcept { return ram().first(4096); }
    /// The part of it that is a link's.
    [[nodiscard]] std::span<std::byte> memory(const rpmsg::memory_layout& link) const noexcept
    {
        return ram().subspan(link.address() - places::ram, link.size());
    }
    /// For uart_doorbell and uart_wait: a byte is a ring, either way.
    [[nodiscard]] int socket() const noexcept { return qemu_.socket().get(); }

    [[nodiscard]] ::pid_t pid() const noexcept { return qemu_.pid(); }
    /// How it ended; errc::timed_out while it runs.
    [[nodiscard]] rpmsg::result<rpmsg::platform::exit_status> how(deadline until = {}) noexcept
    {
        return qemu_.wait(until);
    }
    /// Ends it.
    void stop() noexcept { qemu_ = {}; }

private:
    rpmsg::platform::shared_memory ram_;
    rpmsg::platform::child_process qemu_;
};

/// Rings the firmware: one byte.
class uart_doorbell : public rpmsg::policy::doorbell_defaults {
public:
    static constexpr bool isr_safe = false;
    // Nobody is asked whether it sleeps: with time in instructions QEMU runs the barriers of its processor as
    // nothing, and between a process and such a processor an answer could be too old.
    static constexpr bool always_ring = true;

    constexpr uart_doorbell() noexcept = default;
    explicit uart_doorbell(const emulator& machine) noexcept : socket_{machine.socket()} {}

    void ring(rpmsg::policy::vring_id /*which*/) noexcept
    {
        // A full socket holds bytes enough to wake the firmware, and a machine that has ended wakes whoever waits.
        static_cast<void>(::send(socket_, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
    }

private:
    int socket_ = -1;
};
static_assert(rpmsg::policy::doorbell<uart_doorbell>);

/// Sleeps until the firmware rings, or has ended.
class uart_wait {
public:
    constexpr uart_wait() noexcept = default;
    explicit uart_wait(const emulator& machine) noexcept : socket_{machine.socket()} {}

    /// @param until  Of any clock.
    template <typename Ready, rpmsg::policy::clock Clock>
    void sleep(Ready&& ready, rpmsg::policy::deadline<Clock> until) noexcept
    {
        // What was rung up to here is what ready() is going to see.
        std::array<char, 1> ring{};
        while (::recv(socket_, ring.data(), ring.size(), MSG_DONTWAIT) > 0) {}
        if (!ready())
            static_cast<void>(rpmsg::platform::await_readable(socket_, rpmsg::platform::time_left(until)));
    }

private:
    int socket_ = -1;
};
static_assert(rpmsg::policy::wait<uart_wait>);
