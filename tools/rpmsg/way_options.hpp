#pragma once

#include "guest_options.hpp"

#include <rpmsg/name_service/name.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tool {

/// Which way to go to which endpoint: the options that ping, bench and cat have in common.
struct way_options {
    std::string name;   ///< Of the channel: 1 to 31 bytes.
    std::string link;   ///< The socket of a link between two processes,
    std::string guest;  ///< or the one that a guest comes to.
    guest_options offer;
    std::string device;  ///< Otherwise, over /dev: a part of the device's path in /sys/devices, or empty.
    std::optional<std::uint32_t> to;    ///< The peer's address, where it is known.
    std::optional<std::uint32_t> from;  ///< Ours, where it matters.
    double patience = 10;               ///< Seconds for the other side to come.

    /// Declares them; this outlives the command.
    void declare(CLI::App& command);

    /// The name as the library wants it. This outlives its use.
    [[nodiscard]] rpmsg::name channel() const { return *rpmsg::name::from_static(name.c_str()); }
};

/// What a bad option is told: an empty string is good. For CLI::Option::check().
std::string check_name(const std::string& text);

/// A number, for CLI::Option::check().
class check_range {
public:
    constexpr check_range(double least, double most) : least_{least}, most_{most} {}
    std::string operator()(const std::string& text) const;

private:
    double least_;
    double most_;
};

}  // namespace tool
