#pragma once

#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/testing/journal.hpp>

#include <concepts>
#include <cstdint>

namespace rpmsg::testing {

/// Wakes nobody and writes each ring down.
///
/// @tparam Capabilities  What kind of doorbell it says it is: derived from policy::doorbell_defaults.
template <std::derived_from<policy::doorbell_defaults> Capabilities>
class basic_recording_doorbell : public Capabilities, public recorder {
public:
    using recorder::recorder;

    void ring(policy::vring_id which) noexcept
        requires(!Capabilities::carries_queue_id)
    {
        write(event::ring, nullptr, static_cast<std::uint64_t>(which));
    }
    void ring(policy::vring_id which, std::uint32_t notify_id) noexcept
        requires(Capabilities::carries_queue_id)
    {
        write(event::ring, nullptr, static_cast<std::uint64_t>(which), notify_id);
    }
};

using recording_doorbell = basic_recording_doorbell<policy::doorbell_defaults>;
static_assert(policy::doorbell<recording_doorbell>);

}  // namespace rpmsg::testing
