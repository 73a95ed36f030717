#pragma once

#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/testing/counting_doorbell.hpp>
#include <rpmsg/wire/resource_table.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>

namespace rpmsg::testing {

/// What goes wrong with doorbells, each as its probability of 256. All 0: nothing.
struct doorbell_odds {
    std::uint32_t lost = 0;      ///< A ring wakes nobody.
    std::uint32_t doubled = 0;   ///< It wakes twice.
    std::uint32_t delayed = 0;   ///< It wakes at a later tick(), 1 to 8 of them from now.
    std::uint32_t spurious = 0;  ///< At a tick() the peer is woken though nobody rang.
    std::uint32_t wrong_id = 0;  ///< It says the other vring, or a notify id that nobody has.
};

/// The line between two sides on which doorbells get lost: what several faulty_doorbells have in common.
///
/// Repeatable: the same seed and the same calls bring the same faults.
class faulty_line {
public:
    /// How often each fault happened.
    struct happened {
        std::uint32_t rung = 0;       ///< Calls of ring().
        std::uint32_t delivered = 0;  ///< Rings that the model behind got.
        std::uint32_t lost = 0;
        std::uint32_t doubled = 0;
        std::uint32_t delayed = 0;
        std::uint32_t spurious = 0;
        std::uint32_t wrong_id = 0;
    };

    faulty_line(const doorbell_odds& odds, std::uint32_t seed) noexcept : odds_{odds}, random_{seed} {}

    /// From now on these.
    void set(const doorbell_odds& odds) noexcept { odds_ = odds; }
    /// Loses the next `count` rings, whatever the odds.
    void lose_next(std::uint32_t count) noexcept { lose_ = count; }
    [[nodiscard]] const happened& counts() const noexcept { return counts_; }
    /// Rings that are on their way: rung, and neither delivered nor lost.
    [[nodiscard]] std::size_t under_way() const noexcept { return waiting_; }

private:
    template <policy::doorbell>
    friend class faulty_doorbell;

    struct late {
        policy::vring_id which;
        std::uint32_t notify_id;
        std::uint32_t ticks;
    };
    static constexpr std::size_t most = 16;  // what finds no room is not delayed

    [[nodiscard]] bool happens(std::uint32_t odds) noexcept
    {
        return odds != 0 && static_cast<std::uint32_t>(random_() >> 8U) % 256 < odds;
    }
    std::uint32_t roll(std::uint32_t below) noexcept
    {
        return static_cast<std::uint32_t>(random_() >> 8U) % below;
    }

    doorbell_odds odds_;
    std::minstd_rand random_;
    happened counts_;
    std::uint32_t lose_ = 0;
    std::array<late, most> late_{};
    std::size_t waiting_ = 0;
};

/// A doorbell that can be lost, doubled, late, spurious, or say the wrong vring, in front of another model.
///
/// Says of itself that it can be lost; so its board names a look_period.
///
/// @tparam Base     What rings in the end.
/// @context One thread. tick() is whoever moves the time on: the late and the spurious are rung there.
template <policy::doorbell Base>
class faulty_doorbell : public Base {
public:
    static constexpr bool can_be_lost = true;

    /// On no line: as Base.
    constexpr faulty_doorbell() noexcept = default;
    faulty_doorbell(const Base& base, faulty_line& line) noexcept : Base{base}, line_{&line} {}

    void ring(policy::vring_id which) noexcept
        requires(!Base::carries_queue_id)
    {
        pass(which, wire::resource_any);
    }
    void ring(policy::vring_id which, std::uint32_t notify_id) noexcept
        requires(Base::carries_queue_id)
    {
        pass(which, notify_id);
    }

    /// Time passes: what is late may arrive, and what nobody rang too.
    void tick() noexcept
    {
        if (line_ == nullptr)
            return;
        auto& line = *line_;
        std::size_t kept = 0;
        for (std::size_t i = 0; i != line.waiting_; ++i) {
            auto& late = line.late_[i];
            if (--late.ticks == 0)
                deliver(late.which, late.notify_id);
            else
                line.late_[kept++] = late;
        }
        line.waiting_ = kept;
        if (line.happens(line.odds_.spurious)) {
            ++line.counts_.spurious;
            deliver(line.roll(2) == 0 ? policy::vring_id::to_driver : policy::vring_id::to_device,
                    line.roll(4));
        }
    }

private:
    void pass(policy::vring_id which, std::uint32_t notify_id) noexcept
    {
        if (line_ == nullptr)
            return base_ring(which, notify_id);
        auto& line = *line_;
        ++line.counts_.rung;
        if (line.lose_ != 0 || line.happens(line.odds_.lost)) {
            line.lose_ -= line.lose_ != 0 ? 1 : 0;
            ++line.counts_.lost;
            return;
        }
        if (line.happens(line.odds_.wrong_id)) {
            ++line.counts_.wrong_id;
            which = which == policy::vring_id::to_driver ? policy::vring_id::to_device
                                                         : policy::vring_id::to_driver;
            notify_id = ~notify_id;
        }
        if (line.waiting_ != faulty_line::most && line.happens(line.odds_.delayed)) {
            ++line.counts_.delayed;
            line.late_[line.waiting_++] = {which, notify_id, 1 + line.roll(8)};
            return;
        }
        deliver(which, notify_id);
        if (line.happens(line.odds_.doubled)) {
            ++line.counts_.doubled;
            deliver(which, notify_id);
        }
    }
    void deliver(policy::vring_id which, std::uint32_t notify_id) noexcept
    {
        ++line_->counts_.delivered;
        base_ring(which, notify_id);
    }
    void base_ring(policy::vring_id which, [[maybe_unused]] std::uint32_t notify_id) noexcept
    {
        if constexpr (Base::carries_queue_id)
            Base::ring(which, notify_id);
        else
            Base::ring(which);
    }

    faulty_line* line_ = nullptr;
};
static_assert(policy::doorbell<faulty_doorbell<counting_doorbell<>>>);

}  // namespace rpmsg::testing
