#pragma once

#include <chrono>
#include <vector>

#include <poll.h>

namespace tool {

using monotonic = std::chrono::steady_clock;
using moment = monotonic::time_point;
using seconds = std::chrono::duration<double>;

inline constexpr auto forever = moment::max();

/// So many seconds from now on.
inline moment after(seconds time) { return monotonic::now() + std::chrono::ceil<monotonic::duration>(time); }

/// From now on SIGINT, SIGTERM and SIGHUP end nothing by themselves: stop_asked() says that one came. Before
/// sleep_on().
void take_signals();

/// Whether the user wants the program to end.
[[nodiscard]] bool stop_asked() noexcept;

/// The files that a command sleeps on.
using files = std::vector<::pollfd>;

/// Sleeps until one of the files has news, the user wants to stop, or the time has come. Fills in revents.
void sleep_on(files& watched, moment until);

/// Attends to a way and its bus once. Throws failure when the other side is gone for good.
///
/// @return  Whether there is more to do at once.
template <typename Way>
bool work(Way& way)
{
    way.attend();
    return way.bus().poll().more;
}

/// Sleeps until the way has news, or `also`.
template <typename Way>
void sleep(Way& way, moment until, ::pollfd* also = nullptr)
{
    static thread_local files watched;
    watched.clear();
    way.add_files(watched);
    if (also != nullptr)
        watched.push_back(*also);
    sleep_on(watched, until);
    if (also != nullptr)
        also->revents = watched.back().revents;
}

/// Attends to a way until `done` says so.
///
/// @return  false: the time has come, or the user wants to stop.
template <typename Way, typename Done>
bool work_until(Way& way, moment until, Done done)
{
    for (;;) {
        const bool more = work(way);
        if (done())
            return true;
        if (stop_asked() || (until != forever && monotonic::now() >= until))
            return false;
        if (!more)
            sleep(way, until);
    }
}

}  // namespace tool
