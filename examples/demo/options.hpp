#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace demo {

/// What runs in this process.
enum class role : std::uint8_t {
    both,             ///< The driver, which starts the device as a child process.
    driver,           ///< The driver, which waits for the device at a socket.
    device,           ///< The device, which somebody else starts.
    beside_firmware,  ///< The driver of a firmware, which it starts in QEMU.
};

/// How the processes wake each other.
enum class doorbell : std::uint8_t { eventfd, futex };

/// The command line.
struct options {
    role runs = role::both;
    doorbell bell = doorbell::eventfd;
    std::string socket;                     ///< Where the two meet when they are started by hand.
    std::string link;                       ///< The number of the child's socket.
    std::string image;                      ///< The firmware, an ELF file.
    std::optional<std::uint32_t> messages;  ///< On each channel; else as many as there is time for.
    std::chrono::duration<double> time{6};  ///< For all channels together.
    bool kill = false;                      ///< The device is killed, and started again.
};

/// Reads the command line.
///
/// @return  What it says; or, with `status` set, nothing more is to be done: --help was printed (0), or one
///          line about what is wrong with it (2).
std::optional<options> read_options(int argc, const char* const* argv, int& status);

}  // namespace demo
