#pragma once

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include <sys/mman.h>

extern "C" {
extern rpmsg::wire::rpmsg_table resource_table;  // as the other core finds it in the firmware's image
}

/// The chip of examples/chip/cortex_m as a Linux process plays it: the shared memory is where it is on the
/// chip, and while this core sleeps the other one runs. That one sends three messages and ends the program.
namespace chip {

inline constexpr std::uint32_t shared_memory = 0x2001'0000;
inline constexpr std::uint32_t shared_memory_size = 0x1'0000;

inline int mailbox_rings = 0;
inline void ring_mailbox(std::uint32_t /*word*/ = 0) noexcept { ++mailbox_rings; }

inline void mask_interrupts() noexcept {}
inline void unmask_interrupts() noexcept {}
inline std::uint32_t save_and_mask_interrupts() noexcept { return 0; }
inline void restore_interrupts(std::uint32_t /*before*/) noexcept {}
inline std::uint32_t active_exception() noexcept { return 0; }

inline void clean_cache_line(const void* /*line*/) noexcept {}
inline void invalidate_cache_line(const void* /*line*/) noexcept {}
inline void finish_cache_operations() noexcept {}

inline std::uint32_t milliseconds = 0;

/// The buffers, behind the firmware's two rings.
inline std::span<std::byte> buffers() noexcept
{
    auto* const at = reinterpret_cast<std::byte*>(std::uintptr_t{shared_memory});
    if (::mmap(at, shared_memory_size, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
        std::exit(1);
    return {at + 0x1000, shared_memory_size - 0x1000};
}

struct other_board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::identity<shared_memory, shared_memory_size>;
};

/// The other core's turn.
inline void wait_for_interrupt() noexcept
{
    static rpmsg::driver_bus<other_board> other{resource_table, {.to_driver = buffers()}};
    static int answers = 0;
    static rpmsg::endpoint ping{other, [](std::span<const std::byte> answer) {
                                    std::printf("the other core hears: %.*s\n",
                                                static_cast<int>(answer.size()),
                                                reinterpret_cast<const char*>(answer.data()));
                                    ++answers;
                                }};
    static int sent = 0;
    ++milliseconds;
    constexpr std::array<std::string_view, 3> words{"one", "two", "three"};

    if (!ping.is_open() && !ping.open("rpmsg-echo"))
        std::exit(1);
    do
        other.poll();
    while (other.has_work());

    if (answers == 3) {
        std::printf("it rang %d times\n", mailbox_rings);
        std::exit(0);
    }
    if (sent != answers)
        std::exit(1);  // it was asked, it slept, and it did not answer
    if (ping.is_bound() && ping.try_send(std::as_bytes(std::span{words[static_cast<std::size_t>(sent)]})))
        ++sent;
}

}  // namespace chip
