#pragma once

/// @file
/// What everything else is measured by.

#include "measure.hpp"
#include "worker.hpp"

#include <atomic>
#include <cstddef>

namespace benchmark {

/// Two atomics on two lines: the least that two processors can say to each other.
class raw_ping_pong {
public:
    /// In blocks only.
    double round_trip(worker& other)
    {
        begin(other, blocks * round_trips_in_block);
        const auto median = median_of_blocks(round_trips_in_block, [&] { once(); });
        other.end();
        return median;
    }

    window ping_pong(worker& other, std::size_t /*length*/)
    {
        begin(other, single_round_trips + blocks * round_trips_in_block);
        auto got = time_round_trips([&] { once(); });
        other.end();
        return got;
    }

private:
    void begin(worker& other, unsigned round_trips)
    {
        sent_ = 0;
        last_ = round_trips;
        ping_.word.store(0, std::memory_order_relaxed);
        pong_.word.store(0, std::memory_order_relaxed);
        other.begin(
            [](void* self, const std::atomic<unsigned>& /*orders*/, unsigned /*mine*/) noexcept {
                auto& raw = *static_cast<raw_ping_pong*>(self);
                for (unsigned i = 1; i <= raw.last_; ++i) {
                    while (raw.ping_.word.load(std::memory_order_acquire) != i) {}
                    raw.pong_.word.store(i, std::memory_order_release);
                }
            },
            this);
    }
    void once()
    {
        ping_.word.store(++sent_, std::memory_order_release);
        while (pong_.word.load(std::memory_order_acquire) != sent_) {}
    }

    line ping_;
    line pong_;
    unsigned sent_ = 0;
    unsigned last_ = 0;
};

}  // namespace benchmark
