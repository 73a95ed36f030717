// One side of a vring against the other, in random steps, with buffers that come back in any order, past the wrap of
// the 16-bit indices.
#include "target/check.hpp"

#include <rpmsg/vring/device_side.hpp>
#include <rpmsg/vring/driver_side.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace {

using namespace rpmsg;

/// The same steps in every run.
class dice {
public:
    std::uint32_t below(std::uint32_t limit) noexcept
    {
        state_ = state_ * 1664525U + 1013904223U;
        return (state_ >> 16U) % limit;
    }

private:
    std::uint32_t state_ = 1;
};

/// The ids that one side has, in order.
template <std::uint16_t N>
struct ids {
    std::array<std::uint16_t, N> values{};
    std::uint32_t count = 0;

    void push(std::uint16_t id) noexcept { values[count++] = id; }
    std::uint16_t take(std::uint32_t which) noexcept
    {
        const auto id = values[which];
        for (--count; which != count; ++which)
            values[which] = values[which + 1];
        return id;
    }
};

/// Both sides, and what has to be where.
template <std::uint16_t N, policy::dialect Dialect, policy::coherence Coherence>
class both_sides {
    using size = policy::ring_of<N, 16>;
    static constexpr auto at = vring::layout_of(N, 16, Dialect::alignment);

    alignas(16) std::array<std::byte, at.size> memory_{};
    vring::driver_side<size, Coherence, Dialect> driver_;
    vring::device_side<size, Coherence, Dialect> device_;
    ids<N> free_, published_, taken_, returned_;  // who has which
    dice dice_;

public:
    std::uint32_t messages = 0;
    bool right = true;

    both_sides() noexcept
    {
        constexpr bool events = (Dialect::features & policy::feature::event_idx) != 0;
        driver_.attach(memory_.data(), at, {}, events);
        for (std::uint16_t id = 0; id != N; ++id) {
            driver_.describe(id, 0x1'0000'0000U + id, 100U + id, 0);
            free_.push(id);
        }
        device_.attach({memory_.data(), at}, {}, 0, events);
    }

    void step() noexcept
    {
        switch (dice_.below(4)) {
        case 0:
            if (free_.count != 0) {
                const auto id = free_.take(dice_.below(free_.count));
                driver_.make_available(id);
                published_.push(id);
                static_cast<void>(driver_.peer_wants_doorbell());
            }
            break;
        case 1: {
            const auto next = device_.peek_available();
            right &= next.has_value() == (published_.count != 0);
            if (next && right) {
                const auto id = published_.take(0);
                right &=
                    next->head == id && next->length == 100U + id && next->address == 0x1'0000'0000U + id;
                device_.take_available();
                taken_.push(id);
            }
            break;
        }
        case 2:
            if (taken_.count != 0) {
                const auto id = taken_.take(dice_.below(taken_.count));
                device_.make_used(id, 1000U + id);
                returned_.push(id);
                static_cast<void>(device_.peer_wants_doorbell());
            }
            break;
        default: {
            const auto next = driver_.peek_used();
            right &= next.has_value() == (returned_.count != 0);
            if (next && right) {
                const auto id = returned_.take(0);
                right &= next->id == id && next->length == 1000U + id;
                driver_.take_used(id);
                free_.push(id);
                ++messages;
            }
        }
        }
    }

    /// What the spec forbids is refused, and moves nothing.
    void break_rules() noexcept
    {
        const vring::split_of<size, Dialect::alignment> ring{memory_.data(), at};
        const std::uint16_t idx = ring.avail().idx.read_once();
        ring.avail().idx.write_once(static_cast<std::uint16_t>(idx + N + 1));
        while (published_.count != 0) {  // what it had seen before is good
            if (device_.waiting() == 0)
                break;
            device_.take_available();
            taken_.push(published_.take(0));
        }
        right &= device_.peek_available().error() == errc::protocol;
        ring.avail().idx.write_once(idx);
        right &= device_.peek_available().has_value() == (published_.count != 0);
    }
};

template <std::uint16_t N, policy::dialect Dialect, policy::coherence Coherence>
void runs_past_the_wrap() noexcept
{
    both_sides<N, Dialect, Coherence> ring;
    while (ring.messages != 70'000 && ring.right)
        ring.step();
    CHECK(ring.messages == 70'000);
    CHECK(ring.right);
    ring.break_rules();
    CHECK(ring.right);
    for (int i = 0; i != 1000; ++i)
        ring.step();
    CHECK(ring.right);
}

}  // namespace

void target::test_vring() noexcept
{
    runs_past_the_wrap<1, policy::linux_kernel, policy::single_core>();
    runs_past_the_wrap<8, policy::linux_kernel, policy::smp>();
    runs_past_the_wrap<8, policy::with_event_idx<policy::linux_kernel>, policy::system>();
    runs_past_the_wrap<4, policy::rpmsg_lite, policy::smp>();
}
