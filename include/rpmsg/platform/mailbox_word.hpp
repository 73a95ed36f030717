#pragma once

#include <rpmsg/platform/mmio.hpp>
#include <rpmsg/policy/doorbell.hpp>

#include <concepts>
#include <cstdint>

namespace rpmsg::platform {

/// Makes a mailbox's word of a notify id: as TI's mailboxes, and most others, have it.
struct plain_id {
    [[nodiscard]] static constexpr std::uint32_t of(std::uint32_t notify_id) noexcept { return notify_id; }
};

/// The id in the upper bits: `shifted_id<16>` for Linux on an i.MX (drivers/remoteproc/imx_rproc.c), and for
/// rpmsg-lite there.
template <unsigned Bits>
struct shifted_id {
    static_assert(Bits < 32, "the word has 32 bits");
    [[nodiscard]] static constexpr std::uint32_t of(std::uint32_t notify_id) noexcept
    {
        return notify_id << Bits;
    }
};

/// The mailbox takes a word at any time: it merges them, or is as deep as both rings are long.
struct never_full {
    static constexpr bool can_be_lost = false;
    static constexpr bool may_block = false;
    template <registers Registers>
    [[nodiscard]] static constexpr bool has_room() noexcept
    {
        return true;
    }
};

/// A status register says whether the mailbox is full. It is looked at `Looks` times; if there is no room
/// then, the word is dropped.
///
/// @tparam Status  Address of the register.
/// @tparam Mask    The bits that say so: a full bit, or an empty bit.
/// @tparam Full    What they are when it is full: `Mask`, or 0 for an empty bit.
/// @tparam Looks   How often, at least 1. What that is in time is for the board to say.
template <std::uintptr_t Status, std::uint32_t Mask, std::uint32_t Full = Mask, std::uint32_t Looks = 1>
struct full_when {
    static_assert(Status % 4 == 0, "registers of 32 bits are aligned");
    static_assert((Full & ~Mask) == 0, "bits that are not looked at are not what full is");
    static_assert(Looks != 0, "somebody has to look");

    static constexpr bool can_be_lost = true;
    static constexpr bool may_block = Looks > 1;
    template <registers Registers>
    [[nodiscard]] static bool has_room() noexcept
    {
        for (auto left = Looks; left != 0; --left)
            if ((Registers::read(Status) & Mask) != Full)
                return true;
        return false;
    }
};

/// How a mailbox's word is made of a notify id.
template <typename T>
concept mailbox_id = requires(std::uint32_t notify_id) {
    { T::of(notify_id) } noexcept -> std::same_as<std::uint32_t>;
};

/// Whether a mailbox has room for a word.
template <typename T>
concept mailbox_room = requires {
    { T::can_be_lost } -> std::convertible_to<bool>;
    { T::may_block } -> std::convertible_to<bool>;
    { T::template has_room<mmio>() } noexcept -> std::same_as<bool>;
};

/// Rings by writing a word with the ring's notify id to a register.
///
/// A peer that finds a word looks at that ring, or at both. One that is dropped since the mailbox was full leaves
/// news in a ring that no word names: so it can be lost, and a wait also looks by itself.
///
/// The way back is the board's: its handler reads the words, all that there are and also if it has no use for
/// them. A peer whose mailbox stays full is deaf, and Linux on an i.MX says `imx_rproc_kick: failed`.
///
/// @tparam Address  Of the register that takes the word.
/// @tparam Word     plain_id or shifted_id.
/// @tparam Room     never_full or full_when.
/// @context Thread or ISR. Of two that call at once, one may find the room gone that it saw: its word is lost as
///          if there had been none.
template <std::uintptr_t Address, mailbox_id Word = plain_id, mailbox_room Room = never_full,
          registers Registers = mmio>
struct mailbox_word : policy::doorbell_defaults {
    static_assert(Address % 4 == 0, "registers of 32 bits are aligned");

    static constexpr bool carries_queue_id = true;
    static constexpr bool can_be_lost = Room::can_be_lost;
    static constexpr bool may_block = Room::may_block;
    static constexpr unsigned word_bits = 32;
    static constexpr bool needs_ack = true;
    static constexpr bool coalesces = false;

    void ring(policy::vring_id /*which*/, std::uint32_t notify_id) noexcept
    {
        Registers::memory_before_write();
        if (Room::template has_room<Registers>())
            Registers::write(Address, Word::of(notify_id));
    }
};
static_assert(policy::doorbell<mailbox_word<0x4000'0000>>);

}  // namespace rpmsg::platform
