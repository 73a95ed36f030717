// The program in the guest that tries char_bus, against host.cpp: Linux's init. MODE=… of the kernel's
// command line says what; the exit status of the whole of Linux is 0 when that went well.

#include "kernel/char_device/guest.hpp"

#include <cstdlib>
#include <exception>
#include <map>
#include <string>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

namespace {

const std::map<std::string, void (*)()> modes{
    {"sizes", char_test::sizes},
    {"learns", char_test::learns},
    {"by_name", char_test::by_name},
    {"raw", char_test::raw},
    {"node", char_test::node},
    {"announces", char_test::announces},
    {"leftover", char_test::leftover},
    {"long_name", char_test::long_name},
    {"leaves_nothing", char_test::leaves_nothing},
    {"same_address", char_test::same_address},
    {"two_programs", char_test::two_programs},
    {"hidden_address", char_test::hidden_address},
    {"unbound", char_test::unbound},
    {"in_place", char_test::in_place},
    {"own_epoll", char_test::own_epoll},
    {"full", char_test::full},
    {"tx_ready", char_test::tx_ready},
    {"replies", char_test::replies},
    {"signals", char_test::signals},
    {"slow_reader", char_test::slow_reader},
    {"restart", char_test::restart},
    {"late", char_test::late},
    {"killed", char_test::killed},
    {"ping", char_test::ping},
    {"example", char_test::example},
};

[[noreturn]] void power_off(const char* status)
{
    const int to = ::open("/proc/exitcode", O_WRONLY);
    static_cast<void>(::write(to, status, 1));
    for (;;)
        ::reboot(RB_POWER_OFF);
}

}  // namespace

int main()
{
    ::mount("proc", "/proc", "proc", 0, nullptr);
    ::mount("sys", "/sys", "sysfs", 0, nullptr);
    try {
        modes.at(std::getenv("MODE"))();
        char_test::say("done");
        power_off("0");
    } catch (const std::exception& wrong) {
        char_test::say(std::string{"FAILED: "} + wrong.what());
        power_off("1");
    }
}
