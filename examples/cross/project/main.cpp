// Example 02 for an image without a C library: what lives for ever is immortal, so nothing is destroyed at exit.
#include "chip.hpp"

#include <rpmsg/rpmsg.hpp>

inline constexpr auto shared = rpmsg::lay_out<rpmsg::memory_plan{.address = chip::shared_memory,
                                                                 .size = chip::shared_memory_size,
                                                                 .ring_align = 16,
                                                                 .part_align = 1024}>();

extern "C" {
[[gnu::section(".resource_table")]] constinit rpmsg::wire::rpmsg_table resource_table = shared.table();
}

struct my_board : rpmsg::policy::board_defaults {
    struct doorbell : rpmsg::policy::doorbell_defaults {
        void ring(rpmsg::policy::vring_id /*which*/) noexcept { chip::ring_mailbox(); }
    };
    using coherence = rpmsg::policy::system;
    using address_map = rpmsg::policy::identity<chip::shared_memory, chip::shared_memory_size>;

    static constexpr rpmsg::virtio::resource_table_at<resource_table> resources{};

    static void sleep_unless(auto has_work)
    {
        chip::mask_interrupts();
        if (!has_work())
            chip::wait_for_interrupt();
        chip::unmask_interrupts();
    }
};

namespace {
constinit rpmsg::immortal<rpmsg::device_bus<my_board>> bus{my_board::resources};
constinit rpmsg::immortal echo{bus, [](rpmsg::message in) { return in.payload(); }};
}  // namespace

int main()
{
    if (!echo.open("rpmsg-echo"))
        return 1;
    for (;;) {
        bus.poll();
        my_board::sleep_unless([] { return bus.has_work(); });
    }
}
