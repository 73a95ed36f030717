#pragma once

#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace rpmsg::testing {

/// How often one end rang.
struct rung {
    std::array<std::uint32_t, 2> times{};          ///< For each vring, by policy::vring_id.
    std::uint32_t notify_id = wire::resource_any;  ///< The last one that came with it.

    [[nodiscard]] constexpr std::uint32_t total() const noexcept { return times[0] + times[1]; }
    [[nodiscard]] constexpr std::uint32_t operator[](policy::vring_id which) const noexcept
    {
        return times[static_cast<std::size_t>(which)];
    }
};

/// Wakes nobody and counts.
///
/// @tparam Capabilities  What kind of doorbell it says it is.
template <typename Capabilities = policy::doorbell_defaults>
class counting_doorbell : public Capabilities {
public:
    constexpr counting_doorbell() noexcept = default;
    explicit constexpr counting_doorbell(rung& where) noexcept : rung_{&where} {}

    constexpr void ring(policy::vring_id which) noexcept
        requires(!Capabilities::carries_queue_id)
    {
        count(which, wire::resource_any);
    }
    constexpr void ring(policy::vring_id which, std::uint32_t notify_id) noexcept
        requires(Capabilities::carries_queue_id)
    {
        count(which, notify_id);
    }

private:
    constexpr void count(policy::vring_id which, std::uint32_t notify_id) noexcept
    {
        if (rung_ == nullptr)
            return;
        ++rung_->times[static_cast<std::size_t>(which)];
        rung_->notify_id = notify_id;
    }

    rung* rung_ = nullptr;
};
static_assert(policy::doorbell<counting_doorbell<>>);

}  // namespace rpmsg::testing
