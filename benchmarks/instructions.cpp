// The steps whose instructions tools/bench counts, both roles in one thread. Run under callgrind, which
// collects inside of measured() and dumps at each dump_before(): the n-th line printed names the n-th dump.

#include "support.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using benchmark::device_address;
using benchmark::driver_address;

using small = benchmark::board<16>;
using wide = benchmark::board<16, 128>;
using widest = benchmark::board<16, 1024>;

benchmark::link<small> pair;
benchmark::link<wide> wide_pair;
benchmark::link<widest> widest_pair;
const std::array<std::byte, 496> text{};
std::uint32_t received = 0;
unsigned steps = 0;
int warm_up = 300;        // every slot has been round
std::size_t length = 16;  // of a payload: the compiler must not know it

constexpr auto count = [](rpmsg::message) { ++received; };
constexpr auto echo = [](rpmsg::message in) { return in.payload(); };

rpmsg::endpoint driver_end{pair.driver, count};
rpmsg::endpoint device_end{pair.device, count};
rpmsg::endpoint device_echo{pair.device, echo};
rpmsg::endpoint wide_driver_end{wide_pair.driver, count};
rpmsg::endpoint widest_driver_end{widest_pair.driver, count};

void must(bool holds)
{
    if (!holds)
        std::abort();
}

// What is counted

std::span<const std::byte> payload() { return std::span{text}.first(length); }

void copy()
{
    must(driver_end.try_send(payload()).has_value());
    pair.device.poll();
}
void copy_to_driver()
{
    must(device_end.try_send(payload()).has_value());
    pair.driver.poll();
}
void nocopy()
{
    auto buffer = driver_end.try_acquire();
    must(std::move(buffer).send(length).has_value());
    pair.device.poll();
}
void echo_copy()
{
    must(driver_end.try_send(payload()).has_value());
    pair.device.poll();
    pair.driver.poll();
}
void burst()
{
    for (int i = 0; i != 16; ++i)
        must(driver_end.try_send(payload()).has_value());
    pair.device.poll();
}
void burst_rung_once()
{
    {
        const rpmsg::batch together{pair.driver};
        for (int i = 0; i != 16; ++i)
            must(driver_end.try_send(payload()).has_value());
    }
    pair.device.poll();
}
void copy_among_many()
{
    must(wide_driver_end.try_send(payload()).has_value());
    wide_pair.device.poll();
}
void copy_among_most()
{
    must(widest_driver_end.try_send(payload()).has_value());
    widest_pair.device.poll();
}
void idle_poll() { pair.device.poll(); }

// How

[[gnu::noinline]] void measured(void (*step)(), unsigned times)
{
    for (unsigned i = 0; i != times; ++i)
        step();
}

/// Callgrind dumps when it is called.
[[gnu::noinline]] void dump_before(std::string_view name) { fmt::print("{}\n", name); }

/// @param messages  That one step brings to `count`.
void count_steps(std::string_view name, void (*step)(), std::uint32_t messages)
{
    for (int i = 0; i != warm_up; ++i)
        step();
    received = 0;
    measured(step, steps);
    must(received == messages * steps);
    dump_before(name);
}

/// A message to each of `number` endpoints in turn, all under one name.
template <typename Link, typename End>
void among(Link& link, End& sender, unsigned number, std::string_view name, void (*step)())
{
    using receiver = decltype(rpmsg::endpoint{link.device, count});
    std::vector<std::unique_ptr<receiver>> ends;
    for (std::uint32_t i = 0; i != number; ++i) {
        ends.push_back(std::make_unique<receiver>(link.device, count));
        must(ends.back()->open(rpmsg::address{device_address.value() + i}).has_value());
    }
    for (const auto& end : ends) {
        must(sender.open(driver_address, rpmsg::towards{end->local()}).has_value());
        count_steps(name, step, 1);
        must(sender.close().has_value());
    }
}

void by_kind()
{
    must(driver_end.open(driver_address, rpmsg::towards{device_address}).has_value());
    must(device_end.open(device_address, rpmsg::towards{driver_address}).has_value());
    for (const std::size_t bytes : {64U, 256U, 496U, 16U}) {
        length = bytes;
        count_steps(fmt::format("copy_{}", bytes), copy, 1);
    }
    count_steps("copy_16_to_driver", copy_to_driver, 1);
    count_steps("nocopy_16", nocopy, 1);
    count_steps("burst16_copy_16", burst, 16);
    count_steps("burst16_copy_16_rung_once", burst_rung_once, 16);
    count_steps("poll_of_nothing", idle_poll, 0);

    must(device_end.close().has_value());
    must(device_echo.open(device_address, rpmsg::towards{driver_address}).has_value());
    count_steps("echo_16", echo_copy, 1);

    among(wide_pair, wide_driver_end, 100, "copy_16_100_endpoints", copy_among_many);
}

/// As many slots as endpoints, and fewer.
void by_endpoints()
{
    for (const unsigned number : {1U, 10U, 100U, 1000U}) {
        among(widest_pair, widest_driver_end, number, fmt::format("slots_1024/{}", number), copy_among_most);
        among(wide_pair, wide_driver_end, number, fmt::format("slots_128/{}", number), copy_among_many);
    }
}

}  // namespace

int main(int count_of_arguments, char** arguments)
{
    const bool endpoints = count_of_arguments == 3 && std::string_view{arguments[2]} == "endpoints";
    if (count_of_arguments != 2 && !endpoints) {
        fmt::print(stderr, "usage: instructions STEPS [endpoints]\n");
        return 2;
    }
    const std::string_view wanted{arguments[1]};
    if (std::from_chars(wanted.data(), wanted.data() + wanted.size(), steps).ec != std::errc{} ||
        steps == 0) {
        fmt::print(stderr, "instructions: STEPS is a number from 1\n");
        return 2;
    }
    must(pair.connect() && wide_pair.connect() && widest_pair.connect());
    if (endpoints) {
        warm_up = 16;  // for each of 2222, over rings that have been round
        by_endpoints();
    } else {
        by_kind();
    }
}
