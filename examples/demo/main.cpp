/// Two Linux processes that talk RPMsg, or a process and firmware. What a user of the library would write is in
/// services.hpp, performance.hpp and those that begin them: device.hpp, driver.hpp, firmware.hpp; the rest is for
/// the show.

#include "device.hpp"
#include "driver.hpp"
#include "firmware.hpp"
#include "options.hpp"
#include "screen.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>

namespace {

/// The doorbell is a type, so the two are compiled for each, and here is where the ways part.
void run(const demo::options& chosen)
{
    demo::screen out;
    if (chosen.runs == demo::role::device) {
        const bool by_hand = chosen.link.empty();
        if (by_hand)
            demo::introduce_device(chosen, out);
        const auto link = demo::take_link(chosen);
        const auto serve = link.bell == demo::doorbell::futex ? demo::serve<demo::futex_board>
                                                              : demo::serve<demo::eventfd_board>;
        serve(link, by_hand ? &out : nullptr);
    } else if (chosen.runs == demo::role::beside_firmware) {
        demo::drive_firmware(chosen, out);
    } else {
        const auto drive = chosen.bell == demo::doorbell::futex ? demo::drive<demo::futex_board>
                                                                : demo::drive<demo::eventfd_board>;
        drive(chosen, out);
    }
    if (!demo::screen::went_well())
        throw demo::failure{"cannot write to standard output"};
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        int status = 0;
        const auto chosen = demo::read_options(argc, argv, status);
        if (!chosen)
            return status;
        run(*chosen);
        return 0;
    } catch (const std::exception& wrong) {
        std::fflush(stdout);
        fmt::print(stderr, "demo: {}\n", wrong.what());
        return 1;
    }
}
