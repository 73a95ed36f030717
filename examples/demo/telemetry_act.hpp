#pragma once

#include "sample_source.hpp"
#include "stage.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace demo {

/// Checks samples where they lie, and remembers a piece of the curve.
class telemetry_check {
public:
    void hear(const sample& heard) noexcept
    {
        if (const auto made_at = heard.made_at; made_at != 0)
            ages_.add(std::chrono::nanoseconds{now() - made_at});
        const auto number = heard.number;
        lost_ += number - received_ - lost_;
        for (std::size_t i = 0; i != heard.axis.size(); ++i)
            if (heard.axis[i] != reading(number, i))
                ++wrong_;
        if (number % 256 == 0)
            curve_[number / 256 % curve_.size()] = heard.axis[0];
        ++received_;
    }

    [[nodiscard]] std::uint32_t received() const noexcept { return received_; }
    [[nodiscard]] std::uint32_t lost() const noexcept { return lost_; }
    [[nodiscard]] std::uint32_t wrong() const noexcept { return wrong_; }
    /// From when they were made until they were read; none where the sides share no clock.
    [[nodiscard]] times& ages() noexcept { return ages_; }
    /// The last 8192 samples of an axis.
    [[nodiscard]] std::string curve(const screen& out) const
    {
        std::string drawn;
        for (std::size_t i = 0; i != curve_.size(); ++i) {
            const int value = curve_[(received_ / 256 + 1 + i) % curve_.size()];
            drawn += out.level(static_cast<unsigned>((value + 32768) >> 13));
        }
        return drawn;
    }

private:
    times ages_;
    std::array<std::int16_t, 32> curve_{};
    std::uint32_t received_ = 0;
    std::uint32_t lost_ = 0;
    std::uint32_t wrong_ = 0;
};

/// Samples as fast as the device can make them: it writes them where the driver reads them.
template <typename Bus>
row run_telemetry(stage<Bus>& on, telemetry_check& check)
{
    constexpr std::uint32_t at_once = 8192;

    row seen{.channel = telemetry_channel.c_str()};
    meter measured{on};
    std::uint32_t asked_for = 0;
    for (;;) {
        // Ask for more before the stream runs dry.
        const auto more = measured.enough().left(asked_for, at_once);
        if (more != 0 && asked_for - check.received() <= at_once / 2) {
            on.talk_to_device(more);
            asked_for += more;
        }
        const auto before = check.received() + check.lost();
        if (before >= asked_for)
            break;
        on.await("a sample", [&] { return check.received() + check.lost() != before; });
        if (on.out.wants_progress())
            on.out.progress("telemetry", measured.enough().share(before), check.curve(on.out));
    }
    seen.messages = check.received();
    seen.bytes = seen.messages * sizeof(sample);
    seen.errors = check.wrong();
    seen.dropped = check.lost();
    seen = measured.finish(std::move(seen));
    const auto age = check.ages().empty() ? std::string{}
                                          : fmt::format(", read {:.1f} us after they were made (median)",
                                                        check.ages().quantile(0.5).count());
    on.out.verdict("telemetry", seen.errors + seen.dropped == 0,
                   fmt::format("{} samples in order{}", grouped(seen.messages), age));
    return seen;
}

}  // namespace demo
