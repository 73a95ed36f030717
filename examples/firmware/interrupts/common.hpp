#pragma once

#include "machine.hpp"

#include <rpmsg/rpmsg.hpp>

#include <cstdint>

/// What the two cores of the interrupt test share: a bus that interrupts may call.
namespace interrupts {

inline constexpr std::uint32_t rounds = 10'000;
inline constexpr rpmsg::address questions{0x40};  ///< Of the device: the driver asks.
inline constexpr rpmsg::address answers{0x41};    ///< Of the driver: sent from the device's interrupt.
inline constexpr rpmsg::address stream{0x42};  ///< Of the driver: sent by the device's main loop meanwhile.

/// The interrupts are masked while the bus keeps its books; contexts are told apart by the exception that runs.
using mask = machine::cpu;

struct board : machine::board<0> {
    using exclusion = rpmsg::policy::interrupt_mask<mask>;
};

/// A number that a main loop and an interrupt look at.
using shared = volatile std::uint32_t;

}  // namespace interrupts
