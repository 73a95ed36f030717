#pragma once

#include <rpmsg/rpmsg.hpp>

#include <cstdint>

namespace demo {

/// A doorbell that counts how often it is rung.
template <rpmsg::policy::doorbell Bell>
class counting : public Bell {
public:
    constexpr counting() noexcept = default;
    explicit constexpr counting(const Bell& bell) noexcept : Bell{bell} {}

    constexpr void count_into(std::uint32_t& counter) noexcept { counter_ = &counter; }

    void ring(rpmsg::policy::vring_id which) noexcept
    {
        if (counter_ != nullptr)
            ++*counter_;
        Bell::ring(which);
    }

private:
    std::uint32_t* counter_ = nullptr;
};

/// The same board with a doorbell that counts: nothing else of it changes.
template <rpmsg::policy::board Board>
struct counted : Board {
    using doorbell = counting<typename Board::doorbell>;
};

}  // namespace demo
