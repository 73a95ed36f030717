// How deep the stack of tools/size' firmware gets: it is painted below a call, and looked at after it.
#include "board.hpp"
#include "target/semihosting.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace {

constinit rpmsg::immortal<rpmsg::device_bus<board>> device{board::resources};
constinit rpmsg::immortal<rpmsg::driver_bus<board>> driver{
    board::resources,
    rpmsg::buffer_pool{.to_driver = std::span{buffers, 32 * rpmsg::wire::default_buffer_size}}};

std::uint32_t received = 0;
constexpr auto count = [](rpmsg::message /*in*/) { received = received + 1; };
constinit rpmsg::immortal device_sink{device, count};
constinit rpmsg::immortal driver_sink{driver, count};
constinit rpmsg::immortal device_echo{device, echo_back};
constinit rpmsg::immortal driver_echo{driver, echo_back};

constexpr rpmsg::address sink_address{0x50};
constexpr rpmsg::address echo_address{0x51};
constexpr std::array<std::byte, 16> text{};

using operation = void (*)() noexcept;

/// Bytes below the stack pointer of whoever calls it, that is with what the call itself saves.
[[gnu::noinline]] std::uint32_t depth_of(operation call) noexcept
{
    constexpr std::uint32_t paint = 0xA5A5'5A5A;
    constexpr std::uint32_t words = 1024;
    volatile std::uint32_t* top = nullptr;
    asm volatile("mov %0, sp" : "=r"(top));
    for (std::uint32_t i = 1; i <= words; ++i)
        *(top - i) = paint;
    call();
    std::uint32_t deepest = words;
    while (deepest != 0 && *(top - deepest) == paint)
        --deepest;
    return deepest * sizeof(std::uint32_t);
}

void report(const char* what, operation call) noexcept
{
    const auto bytes = depth_of(call);
    target::say(what);
    target::say(bytes);
    target::say("\n");
}

void check(bool holds) noexcept
{
    if (!holds)
        target::finish(1);
}

void drain() noexcept
{
    for (int i = 0; i != 4; ++i) {
        device.poll();
        driver.poll();
    }
}

template <auto& From>
void send_to(rpmsg::address to) noexcept
{
    check(From.try_send_to(to, text).has_value());
}

}  // namespace

int main()
{
    check(device_sink.open(sink_address).has_value() && driver_sink.open(sink_address).has_value() &&
          device_echo.open(echo_address).has_value() && driver_echo.open(echo_address).has_value());

    check(depth_of([]() noexcept {}) == 0);
    device.poll();
    report("driver link-up ", []() noexcept { driver.poll(); });
    report("device link-up ", []() noexcept { device.poll(); });
    drain();
    check(device.state() == rpmsg::link_state::up && driver.state() == rpmsg::link_state::up);

    report("device send ", []() noexcept { static_cast<void>(device_sink.try_send_to(sink_address, text)); });
    report("driver receive ", []() noexcept { driver.poll(); });
    report("driver send ", []() noexcept { static_cast<void>(driver_sink.try_send_to(sink_address, text)); });
    report("device receive ", []() noexcept { device.poll(); });
    check(received == 2);

    send_to<driver_sink>(echo_address);
    report("device echo ", []() noexcept { device.poll(); });
    drain();
    check(received == 3);
    send_to<device_sink>(echo_address);
    report("driver echo ", []() noexcept { driver.poll(); });
    drain();
    check(received == 4);
    target::finish(0);
}
