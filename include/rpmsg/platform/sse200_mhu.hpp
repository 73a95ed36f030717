#pragma once

#include <rpmsg/platform/mmio.hpp>
#include <rpmsg/policy/doorbell.hpp>

#include <cstdint>

namespace rpmsg::platform {

/// Some of the flags of a Message Handling Unit of Arm's SSE-200 (AN521, AN524, Musca).
///
/// The unit has four flags towards each of its two processors. While one is set, that processor's interrupt
/// is pending. STAT, SET and CLR of CPU 0 are at 0x00, 0x04 and 0x08, those of CPU 1 0x10 further on.
///
/// Source: Arm 101104 "CoreLink SSE-200 Subsystem Technical Reference Manual", Message Handling Unit.
///
/// @tparam Base   Address of the unit, in the alias of the security state that this side runs in.
/// @tparam Own    This processor, 0 or 1. The other one is the peer.
/// @tparam Flags  Which of the flags: bits 0 to 3.
/// @context Thread or ISR, several at a time: each call is one store or load that concerns these flags alone.
template <std::uintptr_t Base, unsigned Own, std::uint32_t Flags, registers Registers = mmio>
struct sse200_mhu_flags {
    static_assert(Base % 4 == 0, "registers of 32 bits are aligned");
    static_assert(Own <= 1, "an MHU is between CPU 0 and CPU 1");
    static_assert(Flags != 0 && Flags <= 0xF, "an MHU has four flags");

    /// Sets flags at the peer.
    static void raise(std::uint32_t flags) noexcept
    {
        Registers::memory_before_write();
        Registers::write(at(1 - Own) + set, flags);
    }
    /// Which of the flags are set at this processor.
    [[nodiscard]] static std::uint32_t pending() noexcept
    {
        return Registers::read(at(Own) + status) & Flags;
    }
    /// Clears them. What the peer published before it set them is seen by whoever looks after this: so call it
    /// first in the handler, and then look at the rings.
    static void acknowledge() noexcept
    {
        write_before_memory<Registers>(at(Own) + clear, Flags, at(Own) + status);
    }

private:
    static constexpr std::uintptr_t status = 0x0;
    static constexpr std::uintptr_t set = 0x4;
    static constexpr std::uintptr_t clear = 0x8;
    static constexpr std::uintptr_t at(unsigned cpu) noexcept { return Base + cpu * std::uintptr_t{0x10}; }
};

/// Rings by one flag of an MHU, for both rings.
///
/// @tparam Flag  0 to 3, the same on both sides; one for each link.
template <std::uintptr_t Base, unsigned Own, unsigned Flag = 0, registers Registers = mmio>
struct sse200_mhu : sse200_mhu_flags<Base, Own, 1U << Flag, Registers>, policy::doorbell_defaults {
    static constexpr bool is_level = true;
    static constexpr bool needs_ack = true;

    void ring(policy::vring_id /*which*/) noexcept { sse200_mhu::raise(1U << Flag); }
};
static_assert(policy::doorbell<sse200_mhu<0x5000'3000, 0>>);

/// Rings by two flags of an MHU: `Flag` for vring 0, and the next one for vring 1. pending() says which.
template <std::uintptr_t Base, unsigned Own, unsigned Flag = 0, registers Registers = mmio>
struct sse200_mhu_by_ring : sse200_mhu_flags<Base, Own, 3U << Flag, Registers>, policy::doorbell_defaults {
    static constexpr bool carries_queue_id = true;
    static constexpr bool per_queue_channel = true;
    static constexpr bool is_level = true;
    static constexpr bool needs_ack = true;

    void ring(policy::vring_id which, std::uint32_t /*notify_id*/) noexcept
    {
        sse200_mhu_by_ring::raise(1U << (Flag + static_cast<unsigned>(which)));
    }
};
static_assert(policy::doorbell<sse200_mhu_by_ring<0x5000'3000, 0>>);

}  // namespace rpmsg::platform
