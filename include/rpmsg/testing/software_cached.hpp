#pragma once

#include <rpmsg/policy/coherence.hpp>
#include <rpmsg/testing/software_cache.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/wire/little_endian.hpp>

#include <cstddef>
#include <cstdint>

namespace rpmsg::testing {

/// The coherence of one side of a software_cache.
///
/// @tparam Line  What the board says of its lines. The cache's own may differ, to see what becomes of that.
template <std::size_t Line>
class software_cached : public policy::single_core {
public:
    static constexpr std::size_t line = Line;

    /// Of no cache: memory as it is.
    software_cached() noexcept = default;
    software_cached(software_cache& cache, virtio::role who) noexcept : cache_{&cache}, who_{who} {}

    std::uint16_t load_acquire(const wire::le16& word) noexcept
    {
        return step(), single_core::load_acquire(word);
    }
    std::uint16_t load_relaxed(const wire::le16& word) noexcept
    {
        return step(), single_core::load_relaxed(word);
    }
    void store_release(wire::le16& word, std::uint16_t value) noexcept
    {
        step(), single_core::store_release(word, value);
    }
    void store_relaxed(wire::le16& word, std::uint16_t value) noexcept
    {
        step(), single_core::store_relaxed(word, value);
    }
    void full_barrier() noexcept { request(cache_operation::full_barrier); }
    void clean(const void* at, std::size_t bytes) noexcept { request(cache_operation::clean, at, bytes); }
    void invalidate(const void* at, std::size_t bytes) noexcept
    {
        request(cache_operation::invalidate, at, bytes);
    }

private:
    void step() noexcept
    {
        if (cache_ != nullptr)
            cache_->step(who_);
    }
    void request(cache_operation what, const void* at = nullptr, std::size_t bytes = 0) noexcept
    {
        if (cache_ != nullptr)
            cache_->request(who_, what, at, bytes);
    }

    software_cache* cache_ = nullptr;
    virtio::role who_{};
};
static_assert(policy::coherence<software_cached<64>>);

}  // namespace rpmsg::testing
