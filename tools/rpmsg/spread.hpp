#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tool {

/// Times, and how they are spread.
class spread {
public:
    using time = std::chrono::nanoseconds;
    using microseconds = std::chrono::duration<double, std::micro>;

    void add(time t) { times_.push_back(t); }
    [[nodiscard]] bool empty() const { return times_.empty(); }
    [[nodiscard]] std::size_t count() const { return times_.size(); }

    /// Sorts them: before any of the following. @pre !empty(), for those too.
    void sort();
    /// The smallest time that this share of them does not exceed: 0.5 is the median, 0 the least, 1 the most.
    [[nodiscard]] microseconds quantile(double share) const;
    [[nodiscard]] microseconds mean() const;

    /// How many times were at least `from`, and less than the next one's `from`.
    struct column {
        double from;  ///< Microseconds: 1, 2 or 5 times a power of ten.
        double to;    ///< The same.
        std::size_t count;
    };
    /// From the one that holds the least time to the one that holds the most.
    [[nodiscard]] std::vector<column> columns() const;

private:
    std::vector<time> times_;
};

/// A picture of it, a line each column.
std::string draw(const std::vector<spread::column>& columns);

}  // namespace tool
