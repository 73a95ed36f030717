// What the firmware lays out in shared memory, for every image that has a device in it.
#include "board.hpp"

extern "C" {
[[gnu::section(".resource_table")]] constinit rpmsg::wire::rpmsg_table resource_table =
    rpmsg::wire::make_rpmsg_table(board::dialect::features, {.address = 0x2001'1000, .align = 16},
                                  {.address = 0x2001'1400, .align = 16});
}
