#pragma once

#include <rpmsg/policy/exclusion.hpp>
#include <rpmsg/testing/journal.hpp>

#include <cstdint>

namespace rpmsg::testing {

/// What a recording exclusion says of itself. A test states what differs.
struct recording_exclusion_defaults {
    static constexpr bool isr_safe = true;
    static constexpr bool others_progress = false;
};

/// Excludes nobody, and writes down who entered and left.
///
/// Entering twice, leaving without having entered, leaving with another's state and being destroyed while
/// entered are mistakes in the journal. Whether any lock is held, say while a receiver runs, is
/// journal::is_locked(). Which context calls is what the test said to journal::run_as().
///
/// It does not move, as a lock does not: one made without naming a journal finds it by itself.
///
/// @tparam Traits  Has `isr_safe` and `others_progress`.
template <typename Traits>
class basic_recording_exclusion : public Traits, private recorder {
public:
    /// Which enter() a leave() belongs to.
    struct state {
        std::uint32_t entered = 0;
    };

    basic_recording_exclusion() = default;
    explicit basic_recording_exclusion(journal& log) noexcept : recorder{log} {}
    ~basic_recording_exclusion()
    {
        if (inside_)
            mistake("an exclusion was destroyed while it was held");
    }
    basic_recording_exclusion(const basic_recording_exclusion&) = delete;
    basic_recording_exclusion& operator=(const basic_recording_exclusion&) = delete;

    state enter() noexcept
    {
        write(event::enter, this);
        if (inside_)
            mistake("an exclusion was entered twice");
        else if (log() != nullptr)
            log()->locked();
        inside_ = true;
        return {++entered_};
    }
    void leave(state before) noexcept
    {
        write(event::leave, this);
        if (!inside_)
            mistake("an exclusion was left that nobody had entered");
        else if (log() != nullptr)
            log()->unlocked();
        if (inside_ && before.entered != entered_)
            mistake("an exclusion was left with the state of another enter()");
        inside_ = false;
    }
    [[nodiscard]] std::uintptr_t context() noexcept { return log() != nullptr ? log()->context() : 1; }
    void relax() noexcept { write(event::relax, this); }

private:
    void mistake(const char* note) noexcept
    {
        if (log() != nullptr)
            log()->write_mistake(note, this);
    }

    std::uint32_t entered_ = 0;
    bool inside_ = false;
};

using recording_exclusion = basic_recording_exclusion<recording_exclusion_defaults>;
static_assert(policy::exclusion<recording_exclusion>);

}  // namespace rpmsg::testing
