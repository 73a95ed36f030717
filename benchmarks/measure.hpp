#pragma once

/// @file
/// How the two-core benchmark takes and keeps time.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <vector>

namespace benchmark {

using clock = std::chrono::steady_clock;

inline constexpr unsigned blocks = 10;  // of a window, whose figure is their median
inline constexpr unsigned round_trips_in_block = 64;
inline constexpr unsigned messages_in_block = 1024;
inline constexpr unsigned single_round_trips = 200;

/// What is sent, or the beginning of it.
inline constexpr std::array<std::byte, 4080> text{};

inline void must(bool holds)
{
    if (!holds)
        std::abort();
}

inline double ns_since(clock::time_point start, unsigned times = 1)
{
    return std::chrono::duration<double, std::nano>(clock::now() - start).count() / times;
}

/// @param share  0.5 for the median.
inline double quantile(std::vector<double> values, double share)
{
    if (values.empty())
        return 0;
    const auto at =
        values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

/// How often each value came, to 4.4 percent.
class histogram {
public:
    static constexpr int buckets_in_octave = 16;

    void add(double value)
    {
        if (value > 0)
            ++counts_[static_cast<int>(std::floor(std::log2(value) * buckets_in_octave))];
    }
    /// The count of i is that of the values from 2^(i / 16) to below 2^((i + 1) / 16).
    [[nodiscard]] const std::map<int, unsigned>& counts() const { return counts_; }

private:
    std::map<int, unsigned> counts_;
};

/// What a window gives, in ns: the median over its blocks of one step, and each round trip that was timed
/// by itself.
struct window {
    double median = 0;
    std::vector<double> singles{};
};

/// Of one step, in ns; preemption and interrupts fall out with the blocks that they hit.
template <typename Step>
double median_of_blocks(unsigned steps, Step step)
{
    std::vector<double> of_blocks;
    for (unsigned i = 0; i != blocks; ++i) {
        const auto start = clock::now();
        for (unsigned j = 0; j != steps; ++j)
            step();
        of_blocks.push_back(ns_since(start, steps));
    }
    return quantile(of_blocks, 0.5);
}

/// First one by one, then in blocks.
template <typename RoundTrip>
window time_round_trips(RoundTrip round_trip)
{
    window got;
    got.singles.reserve(single_round_trips);
    for (unsigned i = 0; i != single_round_trips; ++i) {
        const auto start = clock::now();
        round_trip();
        got.singles.push_back(ns_since(start));
    }
    got.median = median_of_blocks(round_trips_in_block, round_trip);
    return got;
}

/// @param try_send  Whether there was room.
template <typename TrySend>
window time_stream(TrySend try_send)
{
    return {median_of_blocks(messages_in_block, [&] {
        while (!try_send()) {
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
    })};
}

/// What reading the clock adds to a round trip that is timed by itself.
inline double ns_of_reading_the_clock()
{
    std::vector<double> readings;
    for (int i = 0; i != 1000; ++i)
        readings.push_back(ns_since(clock::now()));
    return quantile(readings, 0.5);
}

}  // namespace benchmark
