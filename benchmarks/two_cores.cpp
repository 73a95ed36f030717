// A link between two pinned threads, each polling its own side: round trips and a one-way stream, as
// multiples of the round trip of two plain atomics on two cache lines, which is measured before and after
// each window. Where the two differ by more than a quarter the machine was busy, and the window is dropped.

#include "support.hpp"

#include <fmt/format.h>

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using clock = std::chrono::steady_clock;

constexpr unsigned blocks = 10;  // of a window, whose figure is their median
constexpr unsigned round_trips_in_block = 64;
constexpr unsigned messages_in_block = 1024;
constexpr unsigned single_round_trips = 200;
constexpr std::size_t fewest_windows = 6;

const std::array<std::byte, 496> text{};

void must(bool holds)
{
    if (!holds)
        std::abort();
}

double ns_since(clock::time_point start, unsigned times)
{
    return std::chrono::duration<double, std::nano>(clock::now() - start).count() / times;
}

/// @param share  0.5 for the median.
double quantile(std::vector<double> values, double share)
{
    if (values.empty())
        return 0;
    const auto at =
        values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

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

/// What the second thread does until it is told something else.
using job = void (*)(void* self, const std::atomic<unsigned>& orders, unsigned mine) noexcept;

struct alignas(benchmark::apart) line {
    std::atomic<unsigned> word{0};
};

/// The second thread: runs one job at a time.
class worker {
public:
    explicit worker(std::size_t cpu)
        : thread_{[this, cpu] {
              pin(cpu);
              for (unsigned mine = 1;; ++mine) {
                  while (orders_.word.load(std::memory_order_acquire) != mine) {}
                  if (job_ == nullptr)
                      return;
                  job_(self_, orders_.word, mine);
                  done_.word.store(mine, std::memory_order_release);
              }
          }}
    {}
    ~worker()
    {
        begin(nullptr, nullptr);
        thread_.join();
    }
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    void begin(job todo, void* self)
    {
        job_ = todo;
        self_ = self;
        orders_.word.store(++order_, std::memory_order_release);
    }
    /// The job sees that the orders are no longer its own, and ends.
    void end()
    {
        const auto mine = order_;
        orders_.word.store(0, std::memory_order_release);
        while (done_.word.load(std::memory_order_acquire) != mine) {}
    }

    static void pin(std::size_t cpu)
    {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        must(pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0);
    }

private:
    line orders_;
    line done_;
    job job_ = nullptr;
    void* self_ = nullptr;
    unsigned order_ = 0;
    std::thread thread_;
};

/// Two atomics on two lines.
class raw_ping_pong {
public:
    double round_trip(worker& other)
    {
        ping_.word.store(0, std::memory_order_relaxed);
        pong_.word.store(0, std::memory_order_relaxed);
        other.begin(
            [](void* self, const std::atomic<unsigned>& /*orders*/, unsigned /*mine*/) noexcept {
                auto& raw = *static_cast<raw_ping_pong*>(self);
                for (unsigned i = 1; i <= blocks * round_trips_in_block; ++i) {
                    while (raw.ping_.word.load(std::memory_order_acquire) != i) {}
                    raw.pong_.word.store(i, std::memory_order_release);
                }
            },
            this);
        unsigned i = 0;
        const auto median = median_of_blocks(round_trips_in_block, [&] {
            ping_.word.store(++i, std::memory_order_release);
            while (pong_.word.load(std::memory_order_acquire) != i) {}
        });
        other.end();
        return median;
    }

private:
    line ping_;
    line pong_;
};

/// What a window gives: the median over its blocks, and the 99th percentile of single round trips or 0.
struct window {
    double median;
    double p99;
};

/// A link whose driver is the first thread's, and whose device the second one's.
template <std::uint16_t Buffers>
class crossing {
    using board = benchmark::board<Buffers>;

public:
    crossing()
    {
        must(link_.connect());
        must(pinger_.open(benchmark::driver_address, rpmsg::towards{benchmark::device_address}).has_value());
    }

    window ping_pong(worker& other, std::size_t length)
    {
        must(echo_.open(benchmark::device_address).has_value());
        other.begin(serve, this);
        std::vector<double> singles;
        for (unsigned i = 0; i != single_round_trips; ++i) {
            const auto start = clock::now();
            round_trip(length);
            singles.push_back(ns_since(start, 1));
        }
        const auto median = median_of_blocks(round_trips_in_block, [&] { round_trip(length); });
        other.end();
        must(echo_.close().has_value());
        return {median, quantile(singles, 0.99)};
    }

    window stream(worker& other, std::size_t length)
    {
        must(sink_.open(benchmark::device_address).has_value());
        other.begin(serve, this);
        const auto median = median_of_blocks(messages_in_block, [&] {
            while (!pinger_.try_send(std::span{text}.first(length)))
                pause();
        });
        other.end();
        must(sink_.close().has_value());
        return {median, 0};
    }

private:
    static void pause()
    {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    static void serve(void* self, const std::atomic<unsigned>& orders, unsigned mine) noexcept
    {
        auto& device = static_cast<crossing*>(self)->link_.device;
        while (orders.load(std::memory_order_relaxed) == mine)
            device.poll();
        while (device.poll().handled != 0) {}
    }
    void round_trip(std::size_t length)
    {
        must(pinger_.try_send(std::span{text}.first(length)).has_value());
        const auto before = answers_;
        while (answers_ == before)
            link_.driver.poll();
    }

    static constexpr auto echo = [](rpmsg::message in) { return in.payload(); };
    struct arrived {
        std::uint32_t* answers;
        void operator()(rpmsg::message /*in*/) const { ++*answers; }
    };
    static constexpr auto drop = [](rpmsg::message) {};

    benchmark::link<board> link_;
    alignas(benchmark::apart) std::uint32_t answers_ = 0;
    rpmsg::endpoint<rpmsg::driver_bus<board>, void, arrived> pinger_{link_.driver, arrived{&answers_}};
    alignas(benchmark::apart) rpmsg::endpoint<rpmsg::device_bus<board>, void, decltype(echo)> echo_{
        link_.device, echo};
    rpmsg::endpoint<rpmsg::device_bus<board>, void, decltype(drop)> sink_{link_.device, drop};
};

/// One row of the table.
struct row {
    std::string_view name;
    window (*run)(worker& other);
    std::vector<double> ratios{};
    std::vector<double> ns{};
    std::vector<double> p99{};
    unsigned dropped = 0;
};

template <std::uint16_t Buffers>
crossing<Buffers>& the_link()
{
    static crossing<Buffers> one;
    return one;
}
template <std::uint16_t Buffers, std::size_t Length>
window ping_pong(worker& other)
{
    return the_link<Buffers>().ping_pong(other, Length);
}
template <std::uint16_t Buffers, std::size_t Length>
window stream(worker& other)
{
    return the_link<Buffers>().stream(other, Length);
}

/// The first two processors that this process may use, or one of them twice.
std::pair<std::size_t, std::size_t> two_cpus()
{
    cpu_set_t allowed;
    must(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    std::vector<std::size_t> found;
    for (std::size_t cpu = 0; cpu != CPU_SETSIZE && found.size() != 2; ++cpu)
        if (CPU_ISSET(cpu, &allowed))
            found.push_back(cpu);
    return {found.front(), found.back()};
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

    std::vector<row> rows{
        {"round trip, 16 B, 256 buffers", ping_pong<256, 16>},
        {"round trip, 16 B, 16 buffers", ping_pong<16, 16>},
        {"round trip, 496 B, 256 buffers", ping_pong<256, 496>},
        {"round trip, 496 B, 16 buffers", ping_pong<16, 496>},
        {"stream, 16 B, 256 buffers", stream<256, 16>},
        {"stream, 16 B, 16 buffers", stream<16, 16>},
        {"stream, 496 B, 256 buffers", stream<256, 496>},
        {"stream, 496 B, 16 buffers", stream<16, 496>},
    };
    raw_ping_pong raw;
    std::vector<double> raw_ns;
    for (auto& r : rows)  // warm
        r.run(other);
    const auto start = clock::now();
    while (clock::now() - start < std::chrono::seconds{seconds}) {
        for (auto& r : rows) {
            const auto before = raw.round_trip(other);
            const auto got = r.run(other);
            const auto after = raw.round_trip(other);
            if (std::max(before, after) > 1.25 * std::min(before, after)) {
                ++r.dropped;
                continue;
            }
            const auto reference = (before + after) / 2;
            raw_ns.push_back(reference);
            r.ratios.push_back(got.median / reference);
            r.ns.push_back(got.median);
            r.p99.push_back(got.p99);
        }
    }

    fmt::print("raw round trip: {:.0f} / {:.0f} / {:.0f} ns (p10 / median / p90), processors {} and {}\n\n",
               quantile(raw_ns, 0.1), quantile(raw_ns, 0.5), quantile(raw_ns, 0.9), cpus.first, cpus.second);
    fmt::print("{:32}{:>7}  {:13}{:>8}{:>9}{:>9}{:>15}\n", "", "x raw", "p10 .. p90", "ns", "p99 ns",
               "Mmsg/s", "windows kept");
    for (const auto& r : rows) {
        const auto kept = fmt::format("{} of {}", r.ratios.size(), r.ratios.size() + r.dropped);
        if (r.ratios.size() < fewest_windows) {
            fmt::print("{:32}{:>7}  {:39}{:>15}\n", r.name, "-", "the machine was too busy", kept);
            continue;
        }
        const auto ns = quantile(r.ns, 0.5);
        const bool is_stream = r.name.starts_with("stream");
        fmt::print("{:32}{:7.2f}  {:13}{:8.0f}{:>9}{:>9}{:>15}\n", r.name, quantile(r.ratios, 0.5),
                   fmt::format("{:.2f} .. {:.2f}", quantile(r.ratios, 0.1), quantile(r.ratios, 0.9)), ns,
                   is_stream ? "" : fmt::format("{:.0f}", quantile(r.p99, 0.5)),
                   is_stream ? fmt::format("{:.1f}", 1000 / ns) : "", kept);
    }
}
