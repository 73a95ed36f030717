#pragma once

#include "../host_an521/places.hpp"

#include <rpmsg/rpmsg.hpp>

/// What the demo's process and its firmware agree on: a link with more buffers than the tests have.
struct firmware_link {
    static constexpr auto layout = rpmsg::lay_out<rpmsg::memory_plan{.address = places::ram + 0x1000,
                                                                     .size = 0x1'4000,
                                                                     .to_driver = {.count = 64},
                                                                     .to_device = {.count = 64},
                                                                     .ring_align = 64}>();
};
