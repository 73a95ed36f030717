#pragma once

#include "inspect_report.hpp"

#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/little_endian.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

/// Two rings between a driver and a device that keep the spec, in any order that it allows.
namespace legal {

namespace wire = rpmsg::wire;
using tool::inspection::owner;

struct shape {
    std::uint32_t num = 8;
    std::uint32_t align = 16;
    rpmsg::policy::ring_alignment rule = rpmsg::policy::ring_alignment::virtio;
    bool prefilled = false;
    bool in_order = false;         ///< The device gives back what it took first.
    std::uint32_t never_back = 0;  ///< Of 8: how rarely a buffer that was taken is given back.
};

/// One ring, and who has what, which is told to nobody.
class ring {
public:
    ring(std::vector<std::byte>& memory, std::size_t at, const shape& how, bool is_to_device,
         std::size_t buffers)
        : memory_{memory},
          at_{at},
          layout_{rpmsg::vring::layout_of(how.num, how.align, how.rule)},
          how_{how},
          is_to_device_{is_to_device},
          with_(how.num, owner::driver)
    {
        for (std::uint32_t id = 0; id != how.num; ++id) {
            put<std::uint32_t>(at_ + 16 * id, static_cast<std::uint32_t>(buffers + 64 * std::size_t{id}));
            put<std::uint32_t>(at_ + 16 * id + 8, 64);
            put<std::uint16_t>(at_ + 16 * id + 12, is_to_device ? 0 : wire::descriptor_write);
            free_.push_back(static_cast<std::uint16_t>(id));
        }
        buffers_ = buffers;
        if (is_to_device && how.prefilled)
            for (std::uint16_t id = 0; id != how.num; ++id)
                use(id);
    }

    void step(std::mt19937& random)
    {
        switch (random() % 3) {
        case 0: return lend(random);
        case 1: return take();
        default: return give_back(random);
        }
    }
    [[nodiscard]] owner with(std::uint32_t id) const { return with_[id]; }

private:
    template <typename T>
    void put(std::size_t at, T value)
    {
        wire::store<T>(memory_.data() + at, value);
    }
    void use(std::uint16_t id)
    {
        put<std::uint32_t>(at_ + layout_.used + 4 + 8 * (used_ % how_.num), id);
        put<std::uint32_t>(at_ + layout_.used + 8 + 8 * (used_ % how_.num), 16);
        put<std::uint16_t>(at_ + layout_.used + 2, ++used_);
    }
    void lend(std::mt19937& random)
    {
        if (free_.empty())
            return;
        const auto which = how_.prefilled ? 0 : random() % free_.size();
        const auto id = free_[which];
        free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(which));
        put<std::uint32_t>(buffers_ + 64 * std::size_t{id} + 4, 1024);
        put<std::uint16_t>(at_ + layout_.avail + 4 + 2 * (avail_ % how_.num), id);
        put<std::uint16_t>(at_ + layout_.avail + 2, ++avail_);
        waiting_.push_back(id);
        with_[id] = owner::available;
    }
    void take()
    {
        if (waiting_.empty())
            return;
        taken_.push_back(waiting_.front());
        with_[waiting_.front()] = owner::taken;
        waiting_.pop_front();
    }
    void give_back(std::mt19937& random)
    {
        if (taken_.empty() || random() % 8 < how_.never_back)
            return;
        const auto which = how_.in_order ? 0 : random() % taken_.size();
        const auto id = taken_[which];
        taken_.erase(taken_.begin() + static_cast<std::ptrdiff_t>(which));
        use(id);
        with_[id] = owner::used;
        free_.push_back(id);
    }

    std::vector<std::byte>& memory_;
    std::size_t at_;
    rpmsg::vring::layout layout_;
    shape how_;
    bool is_to_device_;
    std::size_t buffers_ = 0;
    std::uint16_t avail_ = 0;
    std::uint16_t used_ = 0;
    std::vector<owner> with_;
    std::deque<std::uint16_t> free_;
    std::deque<std::uint16_t> waiting_;
    std::deque<std::uint16_t> taken_;
};

/// A link's memory, from address 0 on.
class link {
public:
    explicit link(const shape& how)
        : how_{how},
          distance_{(rpmsg::vring::layout_of(how.num, how.align, how.rule).size + how.align - 1) / how.align *
                    how.align},
          memory_(2 * distance_ + 128 * std::size_t{how.num}),
          rings_{ring{memory_, 0, how, false, 2 * distance_},
                 ring{memory_, distance_, how, true, 2 * distance_ + 64 * std::size_t{how.num}}}
    {}
    link(const link&) = delete;
    link& operator=(const link&) = delete;

    void step(std::mt19937& random) { rings_[random() % 2].step(random); }

    [[nodiscard]] tool::inspection::question question() const
    {
        tool::inspection::question asked;
        asked.ring = {0, distance_};
        asked.num = how_.num;
        asked.align = how_.align;
        asked.rule = how_.rule;
        asked.prefilled = how_.prefilled;
        return asked;
    }
    [[nodiscard]] const std::vector<std::byte>& memory() const { return memory_; }
    [[nodiscard]] std::vector<std::byte>& memory() { return memory_; }

    /// What a report says that is not so; nothing when it tells the truth.
    [[nodiscard]] std::string lie(const tool::inspection::report& told) const
    {
        if (told.faults.count() != 0)
            return fmt::format("a fault: {}: {}", told.faults.kept()[0].where, told.faults.kept()[0].what);
        for (std::uint32_t which = 0; which != 2; ++which)
            for (std::uint32_t id = 0; id != how_.num; ++id) {
                const auto& d = told.rings[which].descriptors[id];
                const auto is_devices = [](owner o) { return o == owner::available || o == owner::taken; };
                if (!d.is_certain)
                    continue;
                if (is_devices(d.with) != is_devices(rings_[which].with(id)))
                    return fmt::format("descriptor {} of vring {} is in the wrong hands", id, which);
                if (d.with == owner::taken && rings_[which].with(id) != owner::taken)
                    return fmt::format("descriptor {} of vring {} was not taken", id, which);
            }
        return {};
    }

private:
    shape how_;
    std::size_t distance_;
    std::vector<std::byte> memory_;
    std::array<ring, 2> rings_;
};

inline shape any_shape(std::mt19937& random)
{
    shape how;
    how.num = 1U << random() % 6;
    how.align = random() % 2 == 0 ? 4 : 16;
    how.prefilled = random() % 3 == 0;
    how.rule =
        how.prefilled ? rpmsg::policy::ring_alignment::rpmsg_lite : rpmsg::policy::ring_alignment::virtio;
    how.in_order = random() % 2 == 0;
    how.never_back = random() % 8;
    return how;
}

}  // namespace legal
