#pragma once

#include <rpmsg/platform/mmio.hpp>
#include <rpmsg/policy/doorbell.hpp>

#include <cstdint>

namespace rpmsg::platform {

/// Rings another hart by its machine software interrupt.
///
/// A CLINT, or the MSWI part of an ACLINT, has one word for each hart: bit 0 is that hart's mip.MSIP. The word is
/// a device's, so the store is held behind those to memory by `fence w, o`.
///
/// There is one such interrupt a hart, whoever rings: with several links a handler looks at each.
///
/// Source: RISC-V Advanced Core Local Interruptor Specification 1.0, 3 "Machine-level Software Interrupt Device";
/// SiFive FU540-C000 Manual, 9 "Core-Local Interruptor".
///
/// @tparam Base  Address of the word of hart 0; 0x0200'0000 on most chips, and on QEMU's virt.
/// @tparam Own   This hart.
/// @tparam Peer  The hart that is rung.
/// @context Machine mode, thread or ISR, several at a time: each call is one store or load.
template <std::uintptr_t Base, unsigned Own, unsigned Peer, registers Registers = mmio>
struct riscv_clint : policy::doorbell_defaults {
    static_assert(Base % 4 == 0, "registers of 32 bits are aligned");
    static_assert(Own < 4095 && Peer < 4095, "there are words for 4095 harts");

    static constexpr bool is_level = true;
    static constexpr bool needs_ack = true;

    void ring(policy::vring_id /*which*/) noexcept
    {
        Registers::memory_before_write();
        Registers::write(word_of(Peer), 1);
    }

    /// Whether this hart was rung, since it was last acknowledged.
    [[nodiscard]] static bool pending() noexcept { return (Registers::read(word_of(Own)) & 1) != 0; }
    /// Takes the ring back. What the peer published before it is seen by whoever looks after this: so call it
    /// first in the handler, and then look at the rings.
    static void acknowledge() noexcept { write_before_memory<Registers>(word_of(Own), 0, word_of(Own)); }

private:
    static constexpr std::uintptr_t word_of(unsigned hart) noexcept
    {
        return Base + hart * std::uintptr_t{4};
    }
};
static_assert(policy::doorbell<riscv_clint<0x0200'0000, 0, 1>>);

}  // namespace rpmsg::platform
