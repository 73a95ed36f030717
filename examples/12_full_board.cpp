// A board that states everything: a data cache, a mailbox that carries a number, interrupts that send too,
// a clock, and as many descriptors as the other side wants. The program is the echo firmware of example 02.
// docs/writing-a-board.md goes through it piece by piece.
#include "chip.hpp"

#include <rpmsg/rpmsg.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

/// What lies where in the shared memory. The other core includes the same, or is told by what it prints.
inline constexpr auto shared = rpmsg::lay_out<rpmsg::memory_plan{
    .address = chip::shared_memory,
    .size = chip::shared_memory_size,
    .to_driver = {.count = 16, .notify_id = 0},
    .to_device = {.count = 16, .notify_id = 1},
    .ring_align = 64,
    .part_align = 2048,
    .cache_line = 64,
}>();

extern "C" {
[[gnu::section(".resource_table")]] constinit rpmsg::wire::rpmsg_table resource_table = shared.table();
}

struct mailbox : rpmsg::policy::doorbell_defaults {
    static constexpr bool carries_queue_id = true;
    void ring(rpmsg::policy::vring_id /*which*/, std::uint32_t notify_id) noexcept
    {
        chip::ring_mailbox(notify_id);
    }
};

struct cache_lines {
    static void clean_line(const void* line) noexcept { chip::clean_cache_line(line); }
    static void invalidate_line(const void* line) noexcept { chip::invalidate_cache_line(line); }
    static void complete() noexcept { chip::finish_cache_operations(); }
};

struct interrupts {
    static std::uint32_t save_and_mask() noexcept { return chip::save_and_mask_interrupts(); }
    static void restore(std::uint32_t before) noexcept { chip::restore_interrupts(before); }
    static std::uintptr_t context() noexcept { return chip::active_exception(); }
};

struct sleep_until_interrupt {
    template <typename Ready, typename Deadline>
    void sleep(Ready&& ready, Deadline /*until*/) noexcept  // the system tick wakes it too
    {
        chip::mask_interrupts();
        if (!ready())
            chip::wait_for_interrupt();
        chip::unmask_interrupts();
    }
};

struct system_tick {
    static constexpr std::uint32_t ticks_per_second = 1000;
    static std::uint32_t now() noexcept { return chip::milliseconds; }
};

struct my_board : rpmsg::policy::board_defaults {
    using doorbell = mailbox;
    using coherence = rpmsg::policy::cached<64, cache_lines>;
    using address_map = rpmsg::policy::identity<chip::shared_memory, chip::shared_memory_size>;
    using exclusion = rpmsg::policy::interrupt_mask<interrupts>;
    using wait = sleep_until_interrupt;
    using clock = system_tick;
    using dialect = rpmsg::policy::linux_kernel;
    using ring = rpmsg::policy::ring_up_to<32>;

    static constexpr std::size_t address_slots = 8;
    static constexpr std::size_t remembered_announcements = 2;
    static constexpr auto inbound = rpmsg::policy::inbound::quiet_while_draining;

    static constexpr rpmsg::virtio::resource_table_at<resource_table> resources{};
};
static_assert(rpmsg::policy::board<my_board>);

namespace {
constinit rpmsg::device_bus<my_board> bus{my_board::resources};
constinit rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }};
}  // namespace

int main()
{
    using namespace std::chrono_literals;

    if (!echo.open("rpmsg-echo"))
        return 1;
    for (;;) {
        bus.poll();
        bus.wait_work(100ms);  // or until there is something to do
    }
}
