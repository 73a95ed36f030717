#pragma once

#include <rpmsg/platform/linux/spawn.hpp>
#include <rpmsg/result.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace demo {

/// What became of a child: "the device process was killed by signal 9".
///
/// @param ended  Its status, or an error while there is none.
inline std::string fate_of(std::string_view who, rpmsg::result<rpmsg::platform::exit_status> ended)
{
    if (!ended)
        return fmt::format("{} does not answer", who);
    if (ended->signal != 0)
        return fmt::format("{} was killed by signal {}", who, ended->signal);
    return fmt::format("{} ended with status {}", who, ended->code);
}

}  // namespace demo
