#pragma once

#include <rpmsg/platform/mmio.hpp>
#include <rpmsg/policy/doorbell.hpp>

#include <cstdint>

namespace rpmsg::platform {

/// Agents of the inter-processor interrupts of a Zynq UltraScale+ MPSoC, as bits.
///
/// Source: AMD UG1085 "Zynq UltraScale+ Device Technical Reference Manual", "IPI Channels".
struct zynqmp_agent {
    static constexpr std::uint32_t apu = 1U << 0;    ///< Channel 0, at 0xFF30'0000.
    static constexpr std::uint32_t rpu_0 = 1U << 8;  ///< Channel 1, at 0xFF31'0000.
    static constexpr std::uint32_t rpu_1 = 1U << 9;  ///< Channel 2, at 0xFF32'0000.
};

/// Rings by an inter-processor interrupt, without its message buffer.
///
/// Each agent has a block of its own. A bit written to TRIG (0x00) interrupts that agent, and in the agent's ISR
/// (0x10) the bit of whoever wrote is set until 1 is written to it. IER (0x18) and IDR (0x1C) let each bit
/// interrupt, or not.
///
/// Source: AMD UG1087 "Zynq UltraScale+ Devices Register Reference", module IPI.
///
/// @tparam Base  Address of this agent's block.
/// @tparam Peer  The bit that TRIG takes: zynqmp_agent.
/// @tparam From  The bit in ISR that is this link's. On the chip that is the peer's. QEMU has a single block,
///               where it is this agent's own.
/// @context Thread or ISR, several at a time: each call is one store or load that concerns this bit alone.
template <std::uintptr_t Base, std::uint32_t Peer, std::uint32_t From = Peer, registers Registers = mmio>
struct zynqmp_ipi : policy::doorbell_defaults {
    static_assert(Base % 4 == 0, "registers of 32 bits are aligned");
    static_assert(Peer != 0 && (Peer & (Peer - 1)) == 0 && From != 0 && (From & (From - 1)) == 0,
                  "an agent is one bit");

    static constexpr bool is_level = true;
    static constexpr bool needs_ack = true;

    void ring(policy::vring_id /*which*/) noexcept
    {
        Registers::memory_before_write();
        Registers::write(Base + trigger, Peer);
    }

    /// Whether the peer rang, since it was last acknowledged.
    [[nodiscard]] static bool pending() noexcept { return (Registers::read(Base + status) & From) != 0; }
    /// Takes the ring back. What the peer published before it is seen by whoever looks after this: so call it
    /// first in the handler, and then look at the rings.
    static void acknowledge() noexcept { write_before_memory<Registers>(Base + status, From, Base + status); }

    /// Lets the peer's rings interrupt this agent. One from before is pending still.
    static void enable() noexcept { Registers::write(Base + interrupt_enable, From); }
    /// Lets them interrupt no more: they are kept in ISR.
    static void disable() noexcept { Registers::write(Base + interrupt_disable, From); }

private:
    static constexpr std::uintptr_t trigger = 0x00;
    static constexpr std::uintptr_t status = 0x10;
    static constexpr std::uintptr_t interrupt_enable = 0x18;
    static constexpr std::uintptr_t interrupt_disable = 0x1C;
};
static_assert(policy::doorbell<zynqmp_ipi<0xFF30'0000, zynqmp_agent::rpu_0>>);

}  // namespace rpmsg::platform
