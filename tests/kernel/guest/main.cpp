// The guest's init: does what the word MODE=… of the kernel's command line says, and powers off. The exit status of the
// whole of Linux is 0 when that went well.

#include "kernel/guest/modes.hpp"
#include "kernel/guest/system.hpp"

#include <csignal>
#include <exception>
#include <functional>
#include <map>
#include <string>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

namespace {

[[noreturn]] void power_off(const char* status)
{
    const int to = ::open("/proc/exitcode", O_WRONLY);
    static_cast<void>(::write(to, status, 1));
    for (;;)
        ::reboot(RB_POWER_OFF);
}

/// Who waits for ever is found out in time: a signal handler, so system calls only.
void hang(int /*signal*/)
{
    constexpr std::string_view line = "<5>guest: FAILED: hangs\n";
    const int to = ::open("/dev/kmsg", O_WRONLY);
    static_cast<void>(::write(to, line.data(), line.size()));
    power_off("2");
}

const std::map<std::string, std::function<void()>> modes{
    {"exchange", guest::exchange}, {"sizes", guest::sizes},         {"tty", guest::tty},
    {"sample", guest::sample},     {"endpoints", guest::endpoints}, {"ours", guest::ours},
    {"theirs", guest::theirs},     {"rebind", guest::rebind},       {"survive", guest::survive},
    {"blocked", guest::blocked},   {"soak", guest::soak},           {"figures", guest::figures},
    {"hang", guest::hang},
};

}  // namespace

int main()
{
    ::mount("proc", "/proc", "proc", 0, nullptr);
    ::mount("sys", "/sys", "sysfs", 0, nullptr);
    ::signal(SIGALRM, hang);
    ::alarm(guest::number("SECONDS", 20));
    try {
        modes.at(guest::word("MODE"))();
        guest::say("done");
        power_off("0");
    } catch (const std::exception& wrong) {
        guest::say("FAILED: {}", wrong.what());
        power_off("1");
    }
}
