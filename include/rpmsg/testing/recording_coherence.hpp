#pragma once

#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/testing/journal.hpp>
#include <rpmsg/wire/little_endian.hpp>

#include <cstddef>
#include <cstdint>

namespace rpmsg::testing {

/// Does what another model does and writes it down, so that a test can tell the order of a ring's protocol.
///
/// Entries of a ring are plain stores, which no model sees. Their order shows in the journal's watch():
/// an entry that was written before the index is in the copy that the index's store_release carries.
///
/// @tparam Base  Does the work.
/// @tparam Line  Bytes of a cache line it says there are.
template <policy::coherence Base, std::size_t Line = Base::line>
class basic_recording_coherence : public recorder {
public:
    static constexpr std::size_t line = Line;

    using recorder::recorder;

    std::uint16_t load_acquire(const wire::le16& word) noexcept
    {
        auto& entry = write(event::load_acquire, &word);
        const auto value = base_.load_acquire(word);
        entry.value = value;
        return value;
    }
    std::uint16_t load_relaxed(const wire::le16& word) noexcept
    {
        auto& entry = write(event::load_relaxed, &word);
        const auto value = base_.load_relaxed(word);
        entry.value = value;
        return value;
    }
    void store_release(wire::le16& word, std::uint16_t value) noexcept
    {
        write(event::store_release, &word, value);
        base_.store_release(word, value);
    }
    void store_relaxed(wire::le16& word, std::uint16_t value) noexcept
    {
        write(event::store_relaxed, &word, value);
        base_.store_relaxed(word, value);
    }
    void full_barrier() noexcept
    {
        write(event::full_barrier);
        base_.full_barrier();
    }
    void clean(const void* at, std::size_t bytes) noexcept
    {
        write(event::clean, at, bytes);
        base_.clean(at, bytes);
    }
    void invalidate(const void* at, std::size_t bytes) noexcept
    {
        write(event::invalidate, at, bytes);
        base_.invalidate(at, bytes);
    }

private:
    [[no_unique_address]] Base base_{};
};

using recording_coherence = basic_recording_coherence<policy::single_core>;
static_assert(policy::coherence<recording_coherence>);

}  // namespace rpmsg::testing
