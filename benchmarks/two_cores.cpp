// Two pinned threads, each polling its own side: round trips and one-way streams over a link and over two
// plain queues, as multiples of the round trip of two plain atomics on two cache lines, which is measured
// before and after each window. Where the two differ by more than a quarter the machine was busy, and the
// window is dropped. All take turns. Prints one JSON object, which tools/bench makes tables and plots of.

#include "crossing.hpp"
#include "measure.hpp"
#include "raw_ping_pong.hpp"
#include "worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using namespace benchmark;

/// What is measured in turn, and what came of it.
struct row {
    std::string_view what;
    std::string_view over;
    std::size_t bytes;   // of a payload
    unsigned buffers;    // in each direction
    std::uint32_t size;  // of each
    window (*run)(worker& other, std::size_t length);
    std::vector<double> ratios{};
    std::vector<double> ns{};
    std::vector<double> p99{};
    histogram singles{};  // as multiples of the raw round trip around their window
    unsigned dropped = 0;
};

using rows = std::vector<row>;

/// Each is made when it is needed, and stays: links do not move.
template <typename Crossing>
Crossing& the()
{
    static Crossing one;
    return one;
}
template <typename Crossing>
window ping_pong(worker& other, std::size_t length)
{
    return the<Crossing>().ping_pong(other, length);
}
template <typename Crossing>
window stream(worker& other, std::size_t length)
{
    return the<Crossing>().stream(other, length);
}

template <std::uint16_t Buffers, std::uint32_t Size = 512>
void add_round_trip(rows& all, std::size_t bytes)
{
    all.push_back({"round trip", "link", bytes, Buffers, Size, ping_pong<link_crossing<Buffers, Size>>});
    all.push_back({"round trip", "queue", bytes, Buffers, Size, ping_pong<queue_crossing<Buffers, Size>>});
}
template <std::uint16_t Buffers, std::uint32_t Size = 512>
void add_stream(rows& all, std::size_t bytes)
{
    all.push_back({"stream", "link", bytes, Buffers, Size, stream<link_crossing<Buffers, Size>>});
    all.push_back({"stream", "queue", bytes, Buffers, Size, stream<queue_crossing<Buffers, Size>>});
}
template <std::uint16_t... Buffers>
void add_ring_sizes(rows& all)
{
    (add_round_trip<Buffers>(all, 16), ...);
    (add_stream<Buffers>(all, 16), ...);
}

rows everything()
{
    rows all;
    all.push_back({"round trip", "raw", 4, 1, 64, ping_pong<raw_ping_pong>});  // beside itself: the noise
    add_ring_sizes<256, 64, 16, 4, 2>(all);
    add_round_trip<256>(all, 496);
    add_round_trip<16>(all, 496);
    add_stream<16>(all, 496);
    for (const std::size_t bytes : {64U, 128U, 256U, 496U})
        add_stream<256>(all, bytes);
    for (const std::size_t bytes : {496U, 1008U, 2032U, 4080U})
        add_stream<256, 4096>(all, bytes);
    return all;
}

/// One window, and whether it was kept.
void measure(row& r, worker& other, std::vector<double>& raw_ns)
{
    const auto before = the<raw_ping_pong>().round_trip(other);
    const auto got = r.run(other, r.bytes);
    const auto after = the<raw_ping_pong>().round_trip(other);
    if (std::max(before, after) > 1.25 * std::min(before, after)) {
        ++r.dropped;
        return;
    }
    const auto raw = (before + after) / 2;
    raw_ns.push_back(raw);
    r.ratios.push_back(got.median / raw);
    r.ns.push_back(got.median);
    r.p99.push_back(quantile(got.singles, 0.99));
    for (const auto single : got.singles)
        r.singles.add(single / raw);
}

// As JSON

void print_quantiles(std::string_view name, const std::vector<double>& values, int decimals)
{
    fmt::print("\"{}\": {{\"p10\": {:.{}f}, \"median\": {:.{}f}, \"p90\": {:.{}f}}}", name,
               quantile(values, 0.1), decimals, quantile(values, 0.5), decimals, quantile(values, 0.9),
               decimals);
}

/// [[bucket, count], ...], without the empty ones.
void print_histogram(std::string_view name, const histogram& values)
{
    fmt::print("\"{}\": [", name);
    std::string_view between;
    for (const auto& [bucket, count] : values.counts()) {
        fmt::print("{}[{}, {}]", between, bucket, count);
        between = ", ";
    }
    fmt::print("]");
}

void print_row(const row& r)
{
    fmt::print(R"({{"what": "{}", "over": "{}", "bytes": {}, "buffers": {}, "buffer_size": {}, )", r.what,
               r.over, r.bytes, r.buffers, r.size);
    fmt::print(R"("kept": {}, "dropped": {}, )", r.ratios.size(), r.dropped);
    print_quantiles("x_raw", r.ratios, 4);
    fmt::print(", ");
    print_quantiles("ns", r.ns, 1);
    if (r.what == "round trip") {
        fmt::print(", \"p99_ns\": {:.0f}, ", quantile(r.p99, 0.5));
        print_histogram("singles_x_raw", r.singles);
    }
    fmt::print("}}");
}

}  // namespace

int main(int count_of_arguments, char** arguments)
{
    unsigned seconds = 45;
    if (count_of_arguments > 1) {
        const std::string_view wanted{arguments[1]};
        if (std::from_chars(wanted.data(), wanted.data() + wanted.size(), seconds).ec != std::errc{}) {
            fmt::print(stderr, "two_cores: SECONDS is a number\n");
            return 2;
        }
    }
    const auto cpus = two_cpus();
    if (cpus.first == cpus.second) {
        fmt::print(stderr, "two_cores: needs two processors\n");
        return 1;
    }
    worker other{cpus.second};
    worker::pin(cpus.first);

    auto all = everything();
    for (auto& r : all)  // warm
        r.run(other, r.bytes);
    std::vector<double> raw_ns;
    const auto end = benchmark::clock::now() + std::chrono::seconds{seconds};
    while (benchmark::clock::now() < end)
        for (auto& r : all)
            measure(r, other, raw_ns);

    histogram raw;
    for (const auto ns : raw_ns)
        raw.add(ns);
    fmt::print(
        "{{\"processors\": [{}, {}], \"seconds\": {}, \"clock_ns\": {:.1f}, \"buckets_in_octave\": {},\n",
        cpus.first, cpus.second, seconds, ns_of_reading_the_clock(), histogram::buckets_in_octave);
    fmt::print("\"raw\": {{");
    print_quantiles("ns", raw_ns, 1);
    fmt::print(", ");
    print_histogram("windows_ns", raw);
    fmt::print("}},\n\"rows\": [\n");
    for (const auto& r : all) {
        print_row(r);
        fmt::print("{}\n", &r == &all.back() ? "" : ",");
    }
    fmt::print("]}}\n");
}
