#include "waiting.hpp"

#include "failure.hpp"

#include <rpmsg/platform/linux/eventfd.hpp>
#include <rpmsg/platform/linux/time_left.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace tool {
namespace {

using namespace std::chrono_literals;
using namespace rpmsg::platform;

// What a handler can reach. The file stays readable once it was rung: nobody sleeps any more.
volatile std::sig_atomic_t asked = 0;
file_descriptor asked_file;

void on_signal(int /*which*/)
{
    asked = 1;
    eventfd_doorbell{asked_file}.ring();
}

}  // namespace

void take_signals()
{
    asked_file = must(make_eventfd(), "cannot wait for signals");
    struct ::sigaction handling{};
    ::sigemptyset(&handling.sa_mask);
    handling.sa_handler = on_signal;
    for (const int which : std::array{SIGINT, SIGTERM, SIGHUP})
        ::sigaction(which, &handling, nullptr);
}

bool stop_asked() noexcept { return asked != 0; }

void sleep_on(files& watched, moment until)
{
    watched.push_back({asked_file.get(), POLLIN, 0});
    const auto left =
        until == forever ? moment::duration{1h} : std::max(until - monotonic::now(), moment::duration{0});
    const auto timeout = to_timespec(left);
    if (::ppoll(watched.data(), watched.size(), &timeout, nullptr) < 0) {
        if (errno != EINTR)
            throw failure{status::failed, "cannot wait: {}", reason(rpmsg::errc::system)};
        for (auto& file : watched)
            file.revents = 0;
    }
    watched.pop_back();
}

}  // namespace tool
