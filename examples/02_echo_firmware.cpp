// A whole firmware: an echo service. my_board says what the chip is like, main() is all there is to do.
// "chip.hpp" stands for the vendor's headers; examples/chip/cortex_m has it for a chip with a mailbox, and
// examples/chip/host for the test, where a Linux process plays the chip and its other core.
#include "chip.hpp"

#include <rpmsg/rpmsg.hpp>

/// What lies where in the shared memory: both rings, and the buffers behind them.
inline constexpr auto shared = rpmsg::lay_out<rpmsg::memory_plan{.address = chip::shared_memory,
                                                                 .size = chip::shared_memory_size,
                                                                 .ring_align = 16,
                                                                 .part_align = 1024}>();

extern "C" {
/// What the firmware offers. Linux's remoteproc finds it by the section's name.
[[gnu::section(".resource_table")]] constinit rpmsg::wire::rpmsg_table resource_table = shared.table();
}

struct my_board : rpmsg::policy::board_defaults {
    struct doorbell : rpmsg::policy::doorbell_defaults {
        void ring(rpmsg::policy::vring_id /*which*/) noexcept { chip::ring_mailbox(); }
    };
    using coherence = rpmsg::policy::system;  // the other core is of another kind
    using address_map = rpmsg::policy::identity<chip::shared_memory, chip::shared_memory_size>;

    static constexpr rpmsg::virtio::resource_table_at<resource_table> resources{};

    /// Sleeps until the mailbox rings. What came before the mask is seen, what comes later ends the sleep.
    static void sleep_unless(auto has_work)
    {
        chip::mask_interrupts();
        if (!has_work())
            chip::wait_for_interrupt();
        chip::unmask_interrupts();
    }
};

namespace {
constinit rpmsg::device_bus<my_board> bus{my_board::resources};
constinit rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }};  // the reply
}  // namespace

int main()
{
    if (!echo.open("rpmsg-echo"))  // announced when the link comes up
        return 1;
    for (;;) {
        bus.poll();
        my_board::sleep_unless([] { return bus.has_work(); });  // checked with the doorbell masked
    }
}
