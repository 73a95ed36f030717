// For how many instructions tools/size' firmware masks interrupts, with policy::interrupt_mask as the exclusion.
//
// To be run under -icount shift=10: an instruction takes 1024 ns of virtual time, and the system tick counts at
// 25 MHz, 25.6 ticks an instruction. The mask reads it when interrupts go off and when they come back.
#include "board.hpp"
#include "target/semihosting.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace {

volatile std::uint32_t& register_at(std::uint32_t address) noexcept
{
    return *reinterpret_cast<volatile std::uint32_t*>(address);
}

std::uint32_t longest = 0;  // ticks, with what reading costs
std::uint32_t times = 0;
std::uint32_t masked_at = 0;

std::uint32_t ticks() noexcept { return register_at(0xE000'E018); }  // counts down, 24 bits

struct counting_mask {
    static std::uint32_t save_and_mask() noexcept
    {
        std::uint32_t before = 0;
        asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(before)::"memory");
        if (before == 0)
            masked_at = ticks();
        return before;
    }
    static void restore(std::uint32_t before) noexcept
    {
        if (before == 0) {
            const auto took = (masked_at - ticks()) & 0xFF'FFFFU;
            longest = took > longest ? took : longest;
            times = times + 1;
        }
        asm volatile("msr primask, %0" ::"r"(before) : "memory");
    }
    static std::uintptr_t context() noexcept
    {
        std::uint32_t number = 0;
        asm volatile("mrs %0, ipsr" : "=r"(number));
        return number;
    }
};

struct masking_board : board {
    using exclusion = rpmsg::policy::interrupt_mask<counting_mask>;
    static constexpr std::size_t address_slots = 4;
    static constexpr std::size_t withdrawals = 2;
};

constinit rpmsg::immortal<rpmsg::device_bus<masking_board>> device{board::resources};
constinit rpmsg::immortal<rpmsg::driver_bus<masking_board>> driver{
    board::resources,
    rpmsg::buffer_pool{.to_driver = std::span{buffers, 32 * rpmsg::wire::default_buffer_size}}};

constexpr rpmsg::address holder_address{0x60};
constexpr std::array<std::byte, 16> text{};
constexpr std::array<std::byte, 400> long_text{};

void check(bool holds) noexcept
{
    if (!holds)
        target::finish(1);
}

/// What stands between the two readings, without what stands there when nothing is masked.
std::uint32_t nothing = 0;
std::uint32_t instructions(std::uint32_t masked) noexcept { return (masked - nothing) * 10 / 256; }

void calibrate() noexcept
{
    register_at(0xE000'E014) = 0xFF'FFFF;
    register_at(0xE000'E018) = 0;
    register_at(0xE000'E010) = 5;  // on, the processor's clock, no interrupt

    const auto measured = [](auto what) {
        longest = 0;
        const auto before = counting_mask::save_and_mask();
        what();
        counting_mask::restore(before);
        return longest;
    };
    nothing = measured([] {});
    const auto hundred = measured([] { asm volatile(".rept 100\n\tnop\n\t.endr"); });
    check(instructions(hundred + 13) == 100);  // half an instruction up, so that a tick does not matter
}

template <typename Operation>
void report(const char* what, Operation operation) noexcept
{
    longest = times = 0;
    operation();
    check(times != 0);
    target::say(what);
    target::say(instructions(longest + 13));
    target::say(" ");
    target::say(times);
    target::say("\n");
}

void drain() noexcept
{
    for (int i = 0; i != 4; ++i) {
        device.poll();
        driver.poll();
    }
}

}  // namespace

int main()
{
    calibrate();
    std::uint32_t received = 0;
    rpmsg::rx_buffer held;
    const auto count = [&](rpmsg::message /*in*/) { ++received; };
    rpmsg::immortal sink{driver, count};
    rpmsg::immortal echo{device, echo_back};
    rpmsg::immortal holder{device, [&](rpmsg::rx_buffer in) { held = std::move(in); }};

    report("device open ", [&] { check(echo.open("echo").has_value()); });
    report("driver open ", [&] { check(sink.open("echo").has_value()); });
    device.poll();
    report("driver link-up ", [] { driver.poll(); });
    report("device link-up ", [] { device.poll(); });
    drain();
    check(sink.is_bound());
    report("driver send ", [&] { check(sink.try_send(text).has_value()); });
    report("device echo ", [] { device.poll(); });
    report("driver receive ", [] { driver.poll(); });
    check(received == 1);
    report("driver send-400 ", [&] { check(sink.try_send(long_text).has_value()); });
    report("device echo-400 ", [] { device.poll(); });
    report("driver receive-400 ", [] { driver.poll(); });
    check(received == 2);
    check(holder.open(holder_address).has_value() && sink.try_send_to(holder_address, text).has_value());
    report("device hold ", [] { device.poll(); });
    report("device release ", [&] { held = {}; });
    report("device close ", [&] { check(echo.close() && holder.close()); });
    report("device withdraw ", [] { device.poll(); });
    report("driver unbind ", [] { driver.poll(); });
    check(!sink.is_bound());
    target::finish(0);
}
