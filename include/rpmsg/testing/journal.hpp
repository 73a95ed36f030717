#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace rpmsg::testing {

/// What a recording model was asked for, and what its entry holds.
enum class event : std::uint8_t {
    load_acquire,   ///< where: the ring word; value: what it held.
    load_relaxed,   ///< The same.
    store_release,  ///< where: the ring word; value: what it holds from now on.
    store_relaxed,  ///< The same.
    full_barrier,   ///< Nothing.
    clean,          ///< where: the first byte; value: bytes.
    invalidate,     ///< The same.
    ring,           ///< value: the vring; detail: the notify id, if the doorbell carries one.
    to_local,       ///< where: the answer; value: the address; detail: bytes.
    to_peer,        ///< where: the pointer; value: the answer.
    hold,           ///< value: the epoch.
    drop,           ///< The same.
    enter,          ///< where: the exclusion.
    leave,          ///< The same.
    relax,          ///< The same.
    sleep,          ///< value: ticks left; detail: 1 when it was ready, so there was no need.
    peer,           ///< value: the answer, a policy::peer_life.
    read,           ///< where: a register's address; value: what it gave; detail: bytes.
    write,          ///< where: a register's address; value: what it took; detail: bytes.
    before_write,   ///< Memory was ordered before a write of registers.
    before_memory,  ///< Registers were ordered before a look at memory.
    instruction,    ///< note: which; where: what it was about.
    mark,           ///< value: what the test wrote down.
    mistake         ///< note: what a model must never be asked for.
};

/// The name of an event as it is spelt here.
[[nodiscard]] constexpr std::string_view to_string(event what) noexcept
{
    constexpr std::array<std::string_view, 24> names{
        "load_acquire", "load_relaxed", "store_release", "store_relaxed", "full_barrier", "clean",
        "invalidate",   "ring",         "to_local",      "to_peer",       "hold",         "drop",
        "enter",        "leave",        "relax",         "sleep",         "peer",         "read",
        "write",        "before_write", "before_memory", "instruction",   "mark",         "mistake"};
    return names[static_cast<std::size_t>(what)];
}
static_assert(to_string(event::mistake) == "mistake");

/// One thing that happened.
struct entry {
    event what{};
    const void* where = nullptr;
    std::uint64_t value = 0;
    std::uint64_t detail = 0;
    std::string_view note{};
    std::vector<std::byte> memory{};  ///< The watched memory as it was before this took effect.
};

/// What an entry is to look like. What is left out fits anything.
struct step {
    event what{};
    const void* where = nullptr;  ///< Of clean and invalidate: a byte in the range.
    std::optional<std::uint64_t> value{};

    [[nodiscard]] bool fits(const entry& that) const noexcept
    {
        return what == that.what && (where == nullptr || holds(that)) && (!value || *value == that.value);
    }

private:
    [[nodiscard]] bool holds(const entry& that) const noexcept
    {
        if (what != event::clean && what != event::invalidate)
            return where == that.where;
        const auto offset =
            reinterpret_cast<std::uintptr_t>(where) - reinterpret_cast<std::uintptr_t>(that.where);
        return offset < that.value;
    }
};

/// What happened, in order, as all recording models of one test wrote it down.
///
/// A model made without naming a journal writes into the one that was made last and still lives, so also
/// those that a bus makes for itself are heard. Models are handles: copies write into the same journal.
///
/// @code
/// rpmsg::testing::journal log;
/// …
/// CHECK(log.has_in_order({{event::store_release, &avail.idx}, {event::full_barrier}, {event::ring}}));
/// @endcode
///
/// @context One thread.
class journal {
public:
    journal() : outer_{std::exchange(newest(), this)} {}
    ~journal() { newest() = outer_; }
    journal(const journal&) = delete;
    journal& operator=(const journal&) = delete;

    /// The one that was made last and still lives, or nullptr.
    [[nodiscard]] static journal* innermost() noexcept { return newest(); }

    /// Begins an entry: what was arranged by when() happens first, then it is written down.
    entry& write(event what, const void* where = nullptr, std::uint64_t value = 0, std::uint64_t detail = 0)
    {
        react(what);
        entries_.push_back({what, where, value, detail, {}, {watched_.begin(), watched_.end()}});
        return entries_.back();
    }
    /// Writes a mistake of the code under test down.
    void write_mistake(std::string_view note, const void* where = nullptr)
    {
        write(event::mistake, where).note = note;
    }
    /// Writes a mark of the test down, to tell before from after.
    void mark(std::uint64_t value = 0) { write(event::mark, nullptr, value); }

    /// From now on each entry carries a copy of this memory as it was before.
    void watch(std::span<const std::byte> memory) noexcept { watched_ = memory; }

    /// Does something each time just before `what` takes effect: the peer's move at the worst moment.
    ///
    /// What it does is written down before; it does not set itself off again.
    void when(event what, std::function<void()> action)
    {
        reactions_.push_back({what, false, std::move(action)});
    }
    /// Does it the next time only.
    void once(event what, std::function<void()> action)
    {
        reactions_.push_back({what, true, std::move(action)});
    }
    /// What was arranged happens no more: for a test whose objects outlive what its actions refer to.
    void react_no_more() { reactions_.clear(); }

    /// Forgets what happened; what is watched and arranged stays.
    void clear() noexcept { entries_.clear(); }

    [[nodiscard]] const std::deque<entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] std::size_t count(const step& wanted) const noexcept
    {
        std::size_t found = 0;
        for (const auto& that : entries_)
            found += wanted.fits(that) ? 1U : 0U;
        return found;
    }
    [[nodiscard]] std::size_t count(event what) const noexcept { return count(step{what}); }
    /// The first that fits, or nullptr.
    [[nodiscard]] const entry* find(const step& wanted) const noexcept
    {
        for (const auto& that : entries_)
            if (wanted.fits(that))
                return &that;
        return nullptr;
    }
    /// Whether entries that fit the steps stand here in this order, whatever else stands between.
    [[nodiscard]] bool has_in_order(std::initializer_list<step> steps) const noexcept
    {
        const auto* next = steps.begin();
        for (const auto& that : entries_)
            if (next != steps.end() && next->fits(that))
                ++next;
        return next == steps.end();
    }
    /// What happened, without where and how.
    [[nodiscard]] std::vector<event> events() const
    {
        std::vector<event> all;
        for (const auto& that : entries_)
            all.push_back(that.what);
        return all;
    }
    /// How often a model was asked for what it must not be asked for: 0, or the code under test is wrong.
    [[nodiscard]] std::size_t mistakes() const noexcept { return count(event::mistake); }

    /// Whether an exclusion that writes here is held: never while a receiver runs.
    [[nodiscard]] bool is_locked() const noexcept { return locks_ != 0; }
    void locked() noexcept { ++locks_; }
    void unlocked() noexcept { --locks_; }

    /// Which context calls, as exclusions that write here answer: a test plays thread and interrupt.
    [[nodiscard]] std::uintptr_t context() const noexcept { return context_; }
    void run_as(std::uintptr_t context) noexcept { context_ = context; }

private:
    struct reaction {
        event what;
        bool only_once;
        std::function<void()> action;
        bool runs = false;
        bool done = false;
    };

    void react(event what)
    {
        // NOLINTNEXTLINE(modernize-loop-convert): no iterator survives an action that arranges more
        for (std::size_t i = 0; i != reactions_.size(); ++i) {
            auto& candidate = reactions_[i];
            if (candidate.what != what || candidate.runs || candidate.done)
                continue;
            candidate.done = candidate.only_once;
            candidate.runs = true;
            candidate.action();
            candidate.runs = false;
        }
    }

    static journal*& newest() noexcept
    {
        static journal* last_made = nullptr;
        return last_made;
    }

    journal* outer_;
    std::deque<entry> entries_;
    std::deque<reaction> reactions_;  // whose elements stay where they are
    std::span<const std::byte> watched_;
    std::size_t locks_ = 0;
    std::uintptr_t context_ = 1;
};

/// What the recording models have in common: a handle on the journal they write into, if there is one.
class recorder {
public:
    recorder() noexcept : log_{journal::innermost()} {}
    explicit recorder(journal& log) noexcept : log_{&log} {}

protected:
    /// Writes an event down. What comes back is there to be completed, and is nobody's without a journal.
    entry& write(event what, const void* where = nullptr, std::uint64_t value = 0,
                 std::uint64_t detail = 0) const
    {
        static thread_local entry nowhere;
        return log_ != nullptr ? log_->write(what, where, value, detail) : nowhere;
    }
    [[nodiscard]] journal* log() const noexcept { return log_; }

private:
    journal* log_;
};

inline std::ostream& operator<<(std::ostream& out, event what) { return out << to_string(what); }

inline std::ostream& operator<<(std::ostream& out, const entry& that)
{
    return out << that.what << " where=" << that.where << " value=" << that.value << " detail=" << that.detail
               << (that.note.empty() ? "" : " ") << that.note;
}

/// One entry a line, for INFO(log).
inline std::ostream& operator<<(std::ostream& out, const journal& log)
{
    for (const auto& that : log.entries())
        out << that << '\n';
    return out;
}

}  // namespace rpmsg::testing
