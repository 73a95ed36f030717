// EXPECT: the exclusion admits interrupts, but the doorbell cannot be rung from one
#include <rpmsg/rpmsg.hpp>

struct mask {
    static unsigned disable() noexcept { return 0; }
    static void restore(unsigned) noexcept {}
};
struct board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::identity<0x2000'0000, 0x8000>;
    struct doorbell : rpmsg::policy::doorbell_defaults {
#ifndef RPMSG_FAIL_FIXED
        static constexpr bool isr_safe = false;  // a system call, say
#endif
        void ring(rpmsg::policy::vring_id) noexcept {}
    };
    struct exclusion : rpmsg::policy::no_exclusion {
        static constexpr bool isr_safe = true;
    };
};

void check() { const rpmsg::device_bus<board> bus{rpmsg::virtio::resource_table{}}; }
