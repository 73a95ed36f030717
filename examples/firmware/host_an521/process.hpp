#pragma once

#include "places.hpp"

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/// The process's end: FIRMWARE_RAM names the file that is the board's RAM, FIRMWARE_UART the socket of its UART.
struct machine : places {
    static inline std::byte* mapped = nullptr;
    static inline int socket = -1;

    struct from_socket {
        template <typename Ready, typename Deadline>
        void sleep(Ready&& ready, Deadline /*until*/) noexcept
        {
            sleep_unless(ready);
        }
    };
    template <unsigned Link>
    struct board : rpmsg::policy::board_defaults {
        struct doorbell : rpmsg::policy::doorbell_defaults {
            static constexpr bool isr_safe = false;
            // Nobody is asked whether it sleeps: with time in instructions QEMU runs the barriers of its processor
            // as nothing, and between a process and such a processor an answer could be too old.
            static constexpr bool always_ring = true;
            void ring(rpmsg::policy::vring_id /*which*/) noexcept
            {
                // A full socket holds bytes enough to wake the firmware.
                if (::send(socket, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
                    finish(7);
            }
        };
        using coherence = rpmsg::policy::smp;
        using address_map = rpmsg::policy::offset;
        using wait = from_socket;
        using clock = still_clock;
        static constexpr std::size_t address_slots = 16;
    };
    template <typename Board>
    static rpmsg::policy::set<Board> models() noexcept
    {
        rpmsg::policy::set<Board> all{};
        all.address_map = {std::span{mapped, ram_size}, ram};
        return all;
    }
    static std::span<std::byte> memory(const rpmsg::memory_layout& layout) noexcept
    {
        return {mapped + (layout.address() - ram), layout.size()};
    }

    static void sleep_unless(auto has_work) noexcept
    {
        std::array<char, 256> rung{};
        while (::recv(socket, rung.data(), rung.size(), MSG_DONTWAIT) > 0) {}
        ::pollfd one{.fd = socket, .events = POLLIN, .revents = 0};
        if (!has_work() && ::poll(&one, 1, -1) > 0 && (one.revents & POLLHUP) != 0)
            finish(8);  // the machine has ended
    }
    static void start() noexcept
    {
        const int file = ::open(setting("FIRMWARE_RAM"), O_RDWR | O_CLOEXEC);
        void* const at = ::mmap(nullptr, ram_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (file < 0 || at == MAP_FAILED)
            finish(9);
        mapped = static_cast<std::byte*>(at);
        // The machine waits for this before it runs.
        ::sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::strncpy(name.sun_path, setting("FIRMWARE_UART"), sizeof name.sun_path - 1);
        socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        for (int tries = 0; ::connect(socket, reinterpret_cast<const ::sockaddr*>(&name), sizeof name) != 0;
             ++tries) {
            if (tries == 1000)
                finish(9);
            ::usleep(10'000);
        }
        // Then it loads the image, and the table with it.
        for (int tries = 0; table_of_device()[0] == std::byte{}; ++tries) {
            if (tries == 1000)
                finish(9);
            ::usleep(10'000);
        }
    }
    static void start_device() noexcept {}
    static std::span<std::byte> table_of_device() noexcept { return {mapped, 4096}; }
    static std::uint32_t instructions() noexcept { return 0; }
    static void say(const char* what) noexcept { std::fprintf(stderr, "%s\n", what); }
    static void say_figure(const char* /*what*/, std::uint32_t /*number*/) noexcept {}
    [[noreturn]] static void finish(std::uint32_t status) noexcept { std::exit(static_cast<int>(status)); }

private:
    static const char* setting(const char* name) noexcept
    {
        const char* const value = std::getenv(name);
        if (value == nullptr) {
            std::fprintf(stderr, "%s is not set\n", name);
            finish(9);
        }
        return value;
    }
};
