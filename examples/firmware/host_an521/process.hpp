#pragma once

#include "emulator.hpp"
#include "places.hpp"

#include <rpmsg/rpmsg.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <sstream>
#include <string>
#include <vector>

/// The process's end: FIRMWARE_IMAGE names the image, FIRMWARE_OPTIONS what else QEMU is to be told.
struct machine : places {
    static inline emulator beside;

    struct from_socket {
        template <typename Ready, typename Deadline>
        void sleep(Ready&& ready, Deadline /*until*/) noexcept
        {
            sleep_unless(ready);
        }
    };
    template <unsigned Link>
    struct board : rpmsg::policy::board_defaults {
        using doorbell = uart_doorbell;
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
        all.doorbell = uart_doorbell{beside};
        all.address_map = {beside.ram(), ram};
        return all;
    }
    static std::span<std::byte> memory(const rpmsg::memory_layout& layout) noexcept
    {
        return beside.memory(layout);
    }

    static void sleep_unless(auto has_work) noexcept
    {
        uart_wait{beside}.sleep(has_work, emulator::deadline{std::chrono::minutes{30}});
        if (beside.how())
            finish(8);
    }
    static void start()
    {
        std::vector<std::string> options;
        std::istringstream words{setting("FIRMWARE_OPTIONS")};
        for (std::string word; words >> word;)
            options.push_back(word);
        if (!beside.start(setting("FIRMWARE_IMAGE"), options, std::chrono::seconds{10}))
            finish(9);
    }
    static void start_device() noexcept {}
    static std::span<std::byte> table_of_device() noexcept { return beside.table(); }
    static std::uint32_t instructions() noexcept { return 0; }
    static void say(const char* what) noexcept { std::fprintf(stderr, "%s\n", what); }
    static void say_figure(const char* /*what*/, std::uint32_t /*number*/) noexcept {}
    [[noreturn]] static void finish(std::uint32_t status) noexcept
    {
        beside.stop();
        std::exit(static_cast<int>(status));
    }

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
