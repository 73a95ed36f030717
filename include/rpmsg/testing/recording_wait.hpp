#pragma once

#include <rpmsg/policy/wait.hpp>
#include <rpmsg/testing/journal.hpp>
#include <rpmsg/testing/manual_clock.hpp>

namespace rpmsg::testing {

/// Sleeps by moving a clock on, and writes it down.
///
/// What the peer does meanwhile is what the test arranged by `journal::when(event::sleep, …)`. It is asked
/// after that whether there is something to do, as a real model asks once a doorbell would wake it; if so
/// it does not sleep. Sleeping while an exclusion is held is a mistake in the journal.
///
/// @tparam Clock  Has a static `slept()`.
template <typename Clock>
class basic_recording_wait : public recorder {
public:
    using recorder::recorder;

    template <typename Ready, typename Deadline>
    void sleep(Ready&& ready, Deadline until) noexcept
    {
        if (log() != nullptr && log()->is_locked())
            log()->write_mistake("slept while an exclusion was held");
        auto& entry = write(event::sleep, nullptr, until.remaining());
        const bool awake = ready();  // may write further entries: this one stays where it is
        entry.detail = awake ? 1 : 0;
        if (!awake)
            Clock::slept();
    }
};

using recording_wait = basic_recording_wait<manual_clock>;
static_assert(policy::wait<recording_wait>);

}  // namespace rpmsg::testing
