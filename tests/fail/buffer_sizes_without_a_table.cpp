// EXPECT: rpmsg::driver_bus: this transport has no config space: buffer sizes cannot be negotiated
#include <rpmsg/rpmsg.hpp>

struct board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::offset;
    using dialect = rpmsg::policy::with_buffer_sizes<rpmsg::policy::linux_kernel>;
};

#ifdef RPMSG_FAIL_FIXED
using carrier = rpmsg::virtio::resource_table;
#else
using carrier = rpmsg::virtio::status_byte;
#endif
void turn(rpmsg::driver_bus<board, carrier>& bus) { bus.poll(); }
