#pragma once

#include <rpmsg/policy/lifecycle.hpp>
#include <rpmsg/testing/journal.hpp>

#include <cstdint>
#include <memory>

namespace rpmsg::testing {

/// A peer that lives and dies when a test says so. Copies are told together.
class recording_lifecycle : public recorder {
public:
    static constexpr bool ever_knows = true;

    recording_lifecycle() : life_{std::make_shared<policy::peer_life>(policy::peer_life::alive)} {}
    explicit recording_lifecycle(journal& log)
        : recorder{log},
          life_{std::make_shared<policy::peer_life>(policy::peer_life::alive)}
    {}

    /// From now on the peer is this; `restarted` is said once, then it is alive.
    void becomes(policy::peer_life life) noexcept { *life_ = life; }

    policy::peer_life peer() noexcept
    {
        auto& entry = write(event::peer);  // the test may change it here
        const auto life = *life_;
        if (life == policy::peer_life::restarted)
            *life_ = policy::peer_life::alive;
        entry.value = static_cast<std::uint64_t>(life);
        return life;
    }

private:
    std::shared_ptr<policy::peer_life> life_;
};
static_assert(policy::lifecycle<recording_lifecycle>);

}  // namespace rpmsg::testing
