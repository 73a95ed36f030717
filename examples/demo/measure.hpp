#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

namespace demo {

using monotonic = std::chrono::steady_clock;
using microseconds = std::chrono::duration<double, std::micro>;

/// Nanoseconds since some point that both processes share.
inline std::uint64_t now() noexcept
{
    const auto since = monotonic::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::nanoseconds{since}.count());
}

/// Times of which the extremes are of interest. Beyond a million, a fair choice of a million of them.
class times {
public:
    void add(monotonic::duration time)
    {
        longest_ = std::max(longest_, time);
        ++count_;
        if (kept_.size() < most)
            kept_.push_back(time);
        else if (const auto at = std::uniform_int_distribution<std::size_t>{0, count_ - 1}(random_);
                 at < most)
            kept_[at] = time;
    }
    [[nodiscard]] bool empty() const { return count_ == 0; }

    /// The time that this share of them did not exceed: 0.5 is the median, 1 the longest. @pre !empty()
    [[nodiscard]] microseconds quantile(double share)
    {
        if (share >= 1)
            return longest_;
        const auto last = static_cast<double>(kept_.size() - 1);
        const auto at = kept_.begin() + static_cast<std::ptrdiff_t>(share * last);
        std::nth_element(kept_.begin(), at, kept_.end());
        return *at;
    }

private:
    static constexpr std::size_t most = 1'000'000;
    std::vector<monotonic::duration> kept_;
    monotonic::duration longest_{};
    std::size_t count_ = 0;
    std::minstd_rand random_;
};

/// When enough has been done: after so many messages, or after so long.
class goal {
public:
    goal(std::optional<std::uint32_t> messages, std::chrono::duration<double> time)
        : messages_{messages},
          time_{time}
    {}

    [[nodiscard]] bool reached(std::uint32_t done) const { return share(done) >= 1; }
    /// How many are left of a number, or `most` where there is only a time.
    [[nodiscard]] std::uint32_t left(std::uint32_t done, std::uint32_t most) const
    {
        if (messages_)
            return std::min(most, *messages_ - std::min(done, *messages_));
        return reached(done) ? 0 : most;
    }
    /// How much of it has been done, from 0 to 1.
    [[nodiscard]] double share(std::uint32_t done) const
    {
        const double of_all = messages_ ? static_cast<double>(done) / *messages_ : passed() / time_;
        return std::min(1.0, of_all);
    }
    [[nodiscard]] std::chrono::duration<double> passed() const { return monotonic::now() - begin_; }

private:
    std::optional<std::uint32_t> messages_;
    std::chrono::duration<double> time_;
    monotonic::time_point begin_ = monotonic::now();
};

/// What was seen of one channel: a line of the table.
struct row {
    std::string_view channel;
    std::uint64_t messages = 0;  ///< In both directions.
    std::uint64_t bytes = 0;     ///< Of their payloads.
    std::chrono::duration<double> time{};
    times round_trips{};          ///< None on a channel without answers.
    std::uint64_t doorbells = 0;  ///< Rung by either side.
    std::uint64_t dropped = 0;    ///< Sent and never seen, or refused by a bus.
    std::uint64_t errors = 0;     ///< Not what was sent, or a wrong result.
};

}  // namespace demo
