#include "inspect_history.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace tool::inspection {

namespace {

using positions = std::vector<std::int32_t>;

/// Goes back from the newest event of one descriptor, taking avail and used entries by turns.
class walk {
public:
    walk(const ring_history& rings, const positions& avail, const positions& used)
        : rings_{rings},
          avail_{avail},
          used_{used},
          a_{avail.size()},
          u_{used.size()}
    {}

    /// Whether the entries can have come about so that the newest event was a lending (or a giving back).
    bool is_possible(bool newest_is_avail)
    {
        for (bool is_avail = newest_is_avail;; is_avail = !is_avail) {
            const bool is_first_event = last_ == none;
            if (a_ == 0 && u_ == 0) {
                // What remains is only whether the oldest entry may be the first event of all, or what went before
                // can have been forgotten.
                if (is_first_event)
                    return is_avail ? rings_.avail_has_more : true;
                return !is_avail || forgotten(true);
            }
            if (!(is_avail ? step(avail_, a_, true) : step(used_, u_, false)))
                return false;
        }
    }

private:
    static constexpr std::int32_t none = std::numeric_limits<std::int32_t>::max();

    /// The latest position that an event before the last one can have had.
    [[nodiscard]] std::int32_t latest(bool is_avail) const
    {
        if (last_ == none)
            return none - 1;
        // Lent before it was given back: then at most N were lent. Given back before it was lent again: its position
        // had been passed by the avail index.
        return is_avail ? last_ + rings_.size - 1 : last_ - 1;
    }
    bool forgotten(bool is_avail)
    {
        if (!(is_avail ? rings_.avail_has_more : rings_.used_has_more))
            return false;
        const auto oldest = is_avail ? rings_.outstanding - rings_.avail_remembered : -rings_.used_remembered;
        auto& before = is_avail ? older_avail_ : older_used_;
        before = std::min({before - 1, oldest - 1, latest(is_avail)});
        last_ = before;
        return true;
    }
    bool step(const positions& entries, std::size_t& left, bool is_avail)
    {
        if (left == 0)
            return forgotten(is_avail);
        if (entries[left - 1] > latest(is_avail))
            return false;
        last_ = entries[--left];
        return true;
    }

    const ring_history& rings_;
    const positions& avail_;
    const positions& used_;
    std::size_t a_;
    std::size_t u_;
    std::int32_t last_ = none;
    std::int32_t older_avail_ = none;
    std::int32_t older_used_ = none;
};

/// Whether two neighbouring lendings have no giving back that can lie between them.
bool was_lent_twice(const ring_history& rings, const positions& avail, const positions& used)
{
    for (std::size_t i = 1; i < avail.size(); ++i) {
        const auto first = avail[i - 1] - rings.size + 1;
        const auto last = avail[i] - 1;
        const auto between = std::ranges::lower_bound(used, first);
        const bool is_known = between != used.end() && *between <= last;
        const bool is_forgotten = rings.used_has_more && first < -rings.used_remembered;
        if (!is_known && !is_forgotten)
            return true;
    }
    return avail.size() > used.size() + 1 && !rings.used_has_more;
}

/// Of those that may be either's: as many to the device as the indices say.
void share_out(const ring_history& rings, std::vector<holder>& all, std::vector<std::size_t>& open)
{
    const auto certain =
        static_cast<std::int32_t>(std::ranges::count_if(all, [](const holder& h) { return h.is_device; }));
    const auto missing =
        std::clamp<std::int32_t>(rings.outstanding - certain, 0, static_cast<std::int32_t>(open.size()));
    const bool is_certain = missing == 0 || static_cast<std::size_t>(missing) == open.size();
    // The device is taken to give back nearly in order: the further the newest giving back is behind the newest
    // lending, the less it was its answer.
    const auto lead = [&](std::size_t id) {
        constexpr auto most = std::numeric_limits<std::int32_t>::max();
        if (rings.avail[id].empty())
            return std::pair{-most, -most};
        const auto lent = rings.avail[id].back();
        return std::pair{rings.used[id].empty() ? most : lent - rings.used[id].back(), lent};
    };
    std::ranges::stable_sort(open, std::ranges::greater{}, lead);
    for (std::size_t i = 0; i != open.size(); ++i) {
        all[open[i]].is_device = i < static_cast<std::size_t>(missing);
        all[open[i]].is_certain = is_certain;
    }
}

}  // namespace

std::vector<holder> find_holders(const ring_history& rings)
{
    std::vector<holder> all(static_cast<std::size_t>(rings.size));
    std::vector<std::size_t> open;
    for (std::size_t id = 0; id != all.size(); ++id) {
        const auto& avail = rings.avail[id];
        const auto& used = rings.used[id];
        const bool may_be_lent = walk{rings, avail, used}.is_possible(true);
        const bool may_be_back = walk{rings, avail, used}.is_possible(false);
        if (may_be_lent && may_be_back)
            open.push_back(id);
        else if (may_be_lent)
            all[id].is_device = true;
        else if (!may_be_back)
            all[id].broken =
                was_lent_twice(rings, avail, used) ? contradiction::lent_twice : contradiction::never_lent;
    }
    share_out(rings, all, open);

    // The device takes in order, so it has also taken what was lent before anything that it gave back.
    auto taken = std::numeric_limits<std::int32_t>::min();
    for (std::size_t id = 0; id != all.size(); ++id) {
        const auto& avail = rings.avail[id];
        if (all[id].broken != contradiction::none || !all[id].is_certain)
            continue;
        if (!all[id].is_device && !avail.empty() && !rings.used[id].empty())
            taken = std::max(taken, avail.back());
        else if (all[id].is_device && avail.size() > 1)
            taken = std::max(taken, avail[avail.size() - 2]);
    }
    for (std::size_t id = 0; id != all.size(); ++id)
        if (all[id].is_device && (rings.avail[id].empty() || rings.avail[id].back() < taken))
            all[id].is_taken = true;
    return all;
}

}  // namespace tool::inspection
