#pragma once

#include <rpmsg/config.hpp>
#include <rpmsg/wire/little_endian.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace rpmsg::policy {

/// Makes what one side writes visible to the other, and in order.
///
/// Two halves. The ring words (idx, flags, event words) are loaded and stored through the model, with
/// the ordering in the name. Cache lines are cleaned after we wrote for the peer and before it is told,
/// and invalidated before we read what it wrote; a model for coherent memory does nothing there.
///
/// @context Thread or ISR, as the vring that uses it. Never blocks.
/// @spec    virtio 1.2, 2.7.13.3.1 "Driver Requirements: Updating idx"
/// @spec    virtio 1.2, 2.7.13.4.1 "Driver Requirements: Notifying The Device"
/// @spec    Linux Documentation/memory-barriers.txt, VIRTUAL MACHINE GUESTS
template <typename T>
concept coherence =
    requires(T model, wire::le16& own, const wire::le16& peer, const void* at, std::size_t bytes) {
        /// Bytes of a cache line that must not have two writers; 1 where memory is coherent.
        { T::line } -> std::convertible_to<std::size_t>;
        /// Later loads and stores are not done before this load.
        { model.load_acquire(peer) } noexcept -> std::same_as<std::uint16_t>;
        { model.load_relaxed(peer) } noexcept -> std::same_as<std::uint16_t>;
        /// Earlier loads and stores are done before this store.
        { model.store_release(own, std::uint16_t{}) } noexcept -> std::same_as<void>;
        { model.store_relaxed(own, std::uint16_t{}) } noexcept -> std::same_as<void>;
        /// Orders an earlier store before a later load: the only place where virtio needs it is between
        /// publishing and looking at what the peer wishes, on both sides.
        { model.full_barrier() } noexcept -> std::same_as<void>;
        /// Writes the lines of [at, at + bytes) back to memory, before anything later is visible.
        { model.clean(at, bytes) } noexcept -> std::same_as<void>;
        /// Drops the lines of [at, at + bytes), so that the next read comes from memory.
        { model.invalidate(at, bytes) } noexcept -> std::same_as<void>;
    };

/// Copies a value out of memory that the peer may change, and never looks there again.
///
/// @param from  sizeof(T) bytes, any alignment.
template <typename T>
    requires std::is_trivially_copyable_v<T>
[[nodiscard]] inline T copy_once(const std::byte* from) noexcept
{
    T copy;
    __builtin_memcpy(&copy, from, sizeof copy);  // inline even where the library's own memcpy is asked for
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the compiler may not go back to `from`
    return copy;
}

/// From here on the compiler does not go back to memory for what was read before.
inline void forget_memory() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

/// Where memory is coherent there are no lines to look after.
struct coherent_memory {
    static constexpr std::size_t line = 1;
    constexpr void clean(const void* /*at*/, std::size_t /*bytes*/) noexcept {}
    constexpr void invalidate(const void* /*at*/, std::size_t /*bytes*/) noexcept {}
};

/// Both ends on one processor, or a peer that is not running meanwhile: only the compiler is held back.
struct single_core : coherent_memory {
    std::uint16_t load_acquire(const wire::le16& word) noexcept
    {
        const auto value = word.read_once();
        std::atomic_signal_fence(std::memory_order_acquire);
        return value;
    }
    std::uint16_t load_relaxed(const wire::le16& word) noexcept { return word.read_once(); }
    void store_release(wire::le16& word, std::uint16_t value) noexcept
    {
        std::atomic_signal_fence(std::memory_order_release);
        word.write_once(value);
    }
    void store_relaxed(wire::le16& word, std::uint16_t value) noexcept { word.write_once(value); }
    void full_barrier() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }
};
static_assert(coherence<single_core>);

/// Processors that share normal, coherent memory: the C++ memory model is enough.
struct smp : coherent_memory {
    std::uint16_t load_acquire(const wire::le16& word) noexcept
    {
        if constexpr (!has_atomics) {
            const auto value = word.read_once();
            std::atomic_thread_fence(std::memory_order_acquire);
            return value;
        } else {
            return wire::le16::swapped(atomic(word).load(std::memory_order_acquire));
        }
    }
    std::uint16_t load_relaxed(const wire::le16& word) noexcept
    {
        if constexpr (!has_atomics)
            return word.read_once();
        else
            return wire::le16::swapped(atomic(word).load(std::memory_order_relaxed));
    }
    void store_release(wire::le16& word, std::uint16_t value) noexcept
    {
        if constexpr (!has_atomics) {
            std::atomic_thread_fence(std::memory_order_release);
            word.write_once(value);
        } else {
            atomic(word).store(wire::le16::swapped(value), std::memory_order_release);
        }
    }
    void store_relaxed(wire::le16& word, std::uint16_t value) noexcept
    {
        if constexpr (!has_atomics)
            word.write_once(value);
        else
            atomic(word).store(wire::le16::swapped(value), std::memory_order_relaxed);
    }
    void full_barrier() noexcept
    {
        if constexpr (config::thread_sanitizer) {
            std::uint32_t nobody_else_sees = 0;  // a locked instruction on our own stack is as full a barrier
            std::atomic_ref{nobody_else_sees}.fetch_add(1, std::memory_order_seq_cst);
        } else {
            std::atomic_thread_fence(std::memory_order_seq_cst);
        }
    }

private:
    // Where there are no atomic instructions (Armv6-M, RISC-V without A), clang++ calls a library even for a load,
    // which is one instruction there too.
    static constexpr bool has_atomics = std::atomic_ref<std::uint16_t>::is_always_lock_free;

    static std::atomic_ref<std::uint16_t> atomic(const wire::le16& word) noexcept
    {
        return std::atomic_ref<std::uint16_t>{const_cast<wire::le16&>(word).raw()};
    }
};
static_assert(coherence<smp>);

/// Processors of different kinds, or memory mapped as device or non-cacheable: barriers that reach
/// beyond the inner shareable domain.
struct system : coherent_memory {
    std::uint16_t load_acquire(const wire::le16& word) noexcept
    {
        const auto value = word.read_once();
        full_barrier();
        return value;
    }
    std::uint16_t load_relaxed(const wire::le16& word) noexcept { return word.read_once(); }
    void store_release(wire::le16& word, std::uint16_t value) noexcept
    {
        full_barrier();
        word.write_once(value);
    }
    void store_relaxed(wire::le16& word, std::uint16_t value) noexcept { word.write_once(value); }
    void full_barrier() noexcept
    {
        using enum config::architecture;
        if constexpr (config::target == aarch64)
            asm volatile("dmb sy" ::: "memory");
        else if constexpr (config::target == arm)
            asm volatile("dmb sy" ::: "memory");
        else if constexpr (config::target == riscv)
            asm volatile("fence iorw, iorw" ::: "memory");
        else
            smp{}.full_barrier();
    }
};
static_assert(coherence<system>);

/// What cached<> asks of a machine: its line operations, all done when complete() returns.
///
/// It may have two more members. `line`: the bytes of its own lines, where those of the peer may be longer.
/// `begin()`: called once before the operations of a range, where they are not in order with stores to memory.
template <typename T>
concept cache_operations = requires(const void* line) {
    { T::clean_line(line) } noexcept;
    { T::invalidate_line(line) } noexcept;
    { T::complete() } noexcept;  ///< Waits until the operations before it are done.
};

/// Memory that this side caches and the peer does not see through: each line is cleaned or invalidated.
///
/// @tparam Line      Bytes of the longer cache line of both sides, a power of two.
/// @tparam Ops       The machine's line operations, for each line of `Ops::line` bytes, or of `Line`.
/// @tparam Barriers  The ordering underneath.
template <std::size_t Line, cache_operations Ops, coherence Barriers = system>
struct cached : Barriers {
    static_assert(Line != 0 && (Line & (Line - 1)) == 0, "a cache line is a power of two");
    static constexpr std::size_t line = Line;

private:
    static constexpr std::size_t own_line = [] {
        if constexpr (requires { Ops::line; })
            return std::size_t{Ops::line};
        else
            return Line;
    }();
    static_assert(own_line != 0 && (own_line & (own_line - 1)) == 0, "a cache line is a power of two");
    static_assert(own_line <= Line, "the longer line of both sides is not shorter than this side's");

public:
    void clean(const void* at, std::size_t bytes) noexcept { each_line(at, bytes, Ops::clean_line); }
    void invalidate(const void* at, std::size_t bytes) noexcept
    {
        each_line(at, bytes, Ops::invalidate_line);
    }

private:
    template <typename Operation>
    static void each_line(const void* at, std::size_t bytes, Operation operation) noexcept
    {
        if (bytes == 0)
            return;
        if constexpr (requires { Ops::begin(); })
            Ops::begin();
        const auto* const first = static_cast<const std::byte*>(at);
        const auto* line_start = first - (reinterpret_cast<std::uintptr_t>(first) & (own_line - 1));
        for (; line_start < first + bytes; line_start += own_line)
            operation(line_start);
        Ops::complete();
    }
};

}  // namespace rpmsg::policy
