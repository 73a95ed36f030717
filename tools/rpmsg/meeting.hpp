#pragma once

#include "waiting.hpp"

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/listening_socket.hpp>

#include <string>

#include <sys/types.h>

namespace tool {

/// A socket where processes meet, for whole messages: a link's is taken in one piece or not at all.
rpmsg::platform::listening_socket listen_at(const std::string& path);

/// Refuses a path that is too long for a socket.
void check_path(const std::string& path);

/// Connects to whoever listens at the path, or does so before the time has come.
///
/// @return  Nothing, when the user wants to stop.
rpmsg::platform::file_descriptor connect_to(const std::string& path, moment until);

/// The process at the other end of a socket, or -1.
::pid_t process_behind(const rpmsg::platform::file_descriptor& socket);

}  // namespace tool
