#pragma once

/// @file
/// What a link is measured beside: the plain queue that a program would have without RPMsg.

#include "support.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace benchmark {

/// One writer, one reader, a ring of fixed slots. It trusts both: no header, no address, no check.
///
/// @tparam Slots  A power of two.
/// @tparam Size   The longest payload.
template <std::uint32_t Slots, std::size_t Size>
class spsc_queue {
    static_assert(Slots != 0 && (Slots & (Slots - 1)) == 0);

public:
    /// @return Whether there was a slot.
    bool try_push(std::span<const std::byte> payload)
    {
        const auto tail = tail_.load(std::memory_order_relaxed);
        if (tail - known_head_ == Slots) {
            known_head_ = head_.load(std::memory_order_acquire);
            if (tail - known_head_ == Slots)
                return false;
        }
        auto& to = slots_[tail % Slots];
        to.length = static_cast<std::uint32_t>(payload.size());
        std::memcpy(to.bytes.data(), payload.data(), payload.size());
        tail_.store(tail + 1, std::memory_order_release);
        return true;
    }

    /// @return Whether there was something for `receive`.
    template <typename Receiver>
    bool try_pop(Receiver receive)
    {
        const auto head = head_.load(std::memory_order_relaxed);
        if (head == known_tail_) {
            known_tail_ = tail_.load(std::memory_order_acquire);
            if (head == known_tail_)
                return false;
        }
        const auto& from = slots_[head % Slots];
        receive(std::span<const std::byte>{from.bytes}.first(from.length));
        head_.store(head + 1, std::memory_order_release);
        return true;
    }

private:
    struct alignas(64) slot {
        std::uint32_t length = 0;
        std::array<std::byte, Size> bytes{};
    };

    alignas(apart) std::atomic<std::uint32_t> head_{0};  // the reader's line
    std::uint32_t known_tail_ = 0;
    alignas(apart) std::atomic<std::uint32_t> tail_{0};  // the writer's line
    std::uint32_t known_head_ = 0;
    alignas(apart) std::array<slot, Slots> slots_{};
};

}  // namespace benchmark
