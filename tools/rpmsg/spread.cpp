#include "spread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tool {

void spread::sort() { std::sort(times_.begin(), times_.end()); }

spread::microseconds spread::quantile(double share) const
{
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(times_.size())));
    return times_[std::clamp<std::size_t>(rank, 1, times_.size()) - 1];
}

spread::microseconds spread::mean() const
{
    const microseconds sum = std::accumulate(times_.begin(), times_.end(), time{});
    return sum / static_cast<double>(times_.size());
}

std::vector<spread::column> spread::columns() const
{
    // In whole nanoseconds, so that each time falls into exactly one column.
    std::int64_t from = 1;
    int step = 0;
    const auto next = [&] { return step % 3 == 1 ? from / 2 * 5 : from * 2; };
    const auto go_on = [&] {
        from = next();
        ++step;
    };
    while (times_.front().count() >= next())
        go_on();

    std::vector<column> all;
    for (auto at = times_.begin(); at != times_.end(); go_on()) {
        const auto end = std::lower_bound(at, times_.end(), time{next()});
        all.push_back({static_cast<double>(from) / 1000, static_cast<double>(next()) / 1000,
                       static_cast<std::size_t>(end - at)});
        at = end;
    }
    return all;
}

std::string draw(const std::vector<spread::column>& columns)
{
    constexpr std::size_t width = 48;
    std::size_t most = 0;
    for (const auto& c : columns)
        most = std::max(most, c.count);
    std::string text;
    for (const auto& c : columns) {
        // A column that is not empty shows.
        const auto length = (c.count * width + most - 1) / most;
        text += fmt::format("  {:>8.6g} - {:<8.6g} us  {:>8}  {:#<{}}\n", c.from, c.to, c.count, "", length);
    }
    return text;
}

}  // namespace tool
