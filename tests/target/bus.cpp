// Two buses in one image, over memory that a plan lays out: name service, echo, buffers in place, held and given back
// in another order, too long, and a restart.
#include "target/check.hpp"

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace {

using namespace rpmsg;

inline constexpr std::uint16_t buffers = 4;
inline constexpr std::uint32_t buffer_size = 256;
inline constexpr auto shared =
    lay_out<memory_plan{.to_driver = {.count = buffers, .buffer_size = buffer_size},
                        .to_device = {.count = buffers, .buffer_size = buffer_size},
                        .ring_align = 16,
                        .part_align = 64,
                        .reserved = sizeof(wire::rpmsg_table),
                        .driver = driven_by::rpmsg_bus}>();

struct board : policy::board_defaults {
    struct doorbell : policy::doorbell_defaults {
        std::uint32_t* rung = nullptr;
        void ring(policy::vring_id /*which*/) noexcept { ++*rung; }
    };
    using address_map = policy::offset;
    using ring = policy::ring_of<buffers, 16>;
    static constexpr std::size_t remembered_announcements = 2;
};

/// Both ends over the same memory, which is zeroed for each test.
class two_ends {
    static inline struct alignas(64) {
        std::array<std::byte, shared.size()> bytes;
    } memory;

    static virtio::resource_table fresh() noexcept
    {
        memory.bytes = {};
        const auto table = shared.write_table(memory.bytes);
        CHECK(table.has_value());
        return *table;
    }
    static policy::set<board> policies(std::uint32_t& rung) noexcept
    {
        return {.doorbell = {{}, &rung}, .address_map = {memory.bytes, shared.address()}};
    }

    virtio::resource_table table_ = fresh();

public:
    std::uint32_t driver_rang = 0;
    std::uint32_t device_rang = 0;
    driver_bus<board> driver{table_, shared.pool(memory.bytes), policies(driver_rang)};
    device_bus<board> device{table_, policies(device_rang)};

    /// Polls until neither has anything to do.
    bool run() noexcept
    {
        for (int turns = 1000; driver.has_work() || device.has_work(); --turns) {
            if (turns == 0)
                return false;
            driver.poll();
            device.poll();
        }
        return true;
    }
    static bool holds(const void* what) noexcept
    {
        const auto* const at = static_cast<const std::byte*>(what);
        return at >= memory.bytes.data() && at < memory.bytes.data() + memory.bytes.size();
    }
};

constexpr auto echo_back = [](message in) { return in.payload(); };

using block = std::array<std::byte, buffer_size>;

/// Differs from length to length, and from byte to byte.
constexpr std::byte pattern(std::size_t length, std::size_t i) noexcept
{
    return static_cast<std::byte>(length * 7 + i * 3 + 1);
}

void announces_and_binds() noexcept
{
    two_ends link;
    std::uint32_t heard = 0;
    endpoint service{link.device, echo_back};
    endpoint early{link.driver, [&](message in) { heard += static_cast<std::uint32_t>(in.size()); }};

    // Both open the name; either end may be first.
    CHECK(service.open("echo").has_value() && early.open("echo").has_value());
    CHECK(link.device.state() != link_state::up);
    CHECK(link.run());
    CHECK(link.device.state() == link_state::up && link.driver.state() == link_state::up);
    CHECK(early.is_bound() && early.peer() == service.local());
    CHECK(early.try_send(std::array<std::byte, 3>{}).has_value() && link.run() && heard == 3);
    CHECK(link.driver_rang != 0 && link.device_rang != 0);

    // Closing withdraws; who opens later is bound by what was remembered.
    CHECK(service.close().has_value() && link.run() && !early.is_bound());
    CHECK(early.try_send(std::array<std::byte, 3>{}).error() == errc::not_bound);
    endpoint late{link.driver, echo_back};
    endpoint other{link.device, [&](message) { ++heard; }};
    CHECK(other.open("other").has_value() && link.run() && late.open("other").has_value() && link.run());
    CHECK(late.is_bound() && late.peer() == other.local());

    // Who hears of a name nobody has here opens towards it, and speaks first.
    endpoint made{link.driver, [&](message) { heard = 100; }};
    observer watch{link.driver, on_announced{[&](const announcement& it) {
                       if (it.name() == "third")
                           CHECK(made.open(towards{it.address()}).has_value());
                   }}};
    endpoint third{link.device, echo_back};
    CHECK(watch.open().has_value() && third.open("third").has_value() && link.run());
    CHECK(made.is_bound() && !third.is_bound());
    CHECK(made.try_send(std::array<std::byte, 1>{}).has_value() && link.run());
    CHECK(third.is_bound() && heard == 100);
}

void echoes_growing_payloads() noexcept
{
    two_ends link;
    std::size_t expected = 0;
    std::uint32_t good = 0;
    endpoint service{link.device, echo_back};
    endpoint client{link.driver, [&](message in) {
                        bool same = in.size() == expected;
                        for (std::size_t i = 0; same && i != expected; ++i)
                            same = in.payload()[i] == pattern(expected, i);
                        good += same ? 1 : 0;
                    }};
    CHECK(service.open("echo").has_value() && client.open("echo").has_value() && link.run());
    CHECK(link.driver.max_payload() == buffer_size - 16 && link.device.max_payload() == buffer_size - 16);

    block bytes{};
    for (expected = 0; expected <= link.driver.max_payload(); ++expected) {
        for (std::size_t i = 0; i != expected; ++i)
            bytes[i] = pattern(expected, i);
        if (!client.try_send(std::span{bytes}.first(expected)) || !link.run())
            break;
    }
    CHECK(good == buffer_size - 16 + 1);

    CHECK(client.try_send(std::span{bytes}.first(buffer_size - 15)).error() == errc::too_long);
    CHECK(service.try_send(std::span{bytes}.first(buffer_size - 15)).error() == errc::too_long);
    CHECK(link.run() && good == buffer_size - 16 + 1);
}

void sends_in_place_until_full() noexcept
{
    two_ends link;
    std::uint32_t sum = 0;
    endpoint sink{link.driver,
                  [&](std::span<const std::byte> in) { sum += std::to_integer<std::uint32_t>(in[0]); }};
    endpoint source{link.device};
    CHECK(sink.open(address{0x50}).has_value() && source.open(towards{0x50}).has_value() && link.run());

    for (std::uint32_t i = 1; i <= buffers; ++i) {
        auto slot = source.try_acquire();
        CHECK(slot && two_ends::holds(slot.payload().data()));
        slot.payload()[0] = static_cast<std::byte>(i);
        CHECK(std::move(slot).send(1).has_value());
    }
    CHECK(source.try_acquire().error() == errc::full &&
          source.try_send(std::array<std::byte, 1>{}).error() == errc::full);
    CHECK(link.run() && sum == 1 + 2 + 3 + 4);
    {
        const auto dropped = source.try_acquire();
        CHECK(dropped);
    }
    CHECK(source.try_send(std::array{std::byte{90}}).has_value() && link.run() && sum == 100);
}

void holds_and_releases_in_another_order() noexcept
{
    two_ends link;
    std::array<rx_buffer, buffers> held;
    std::size_t count = 0;
    endpoint keeper{link.device, [&](rx_buffer in) { held[count++] = std::move(in); }};
    endpoint source{link.driver};
    CHECK(keeper.open(address{0x50}).has_value() && source.open(towards{0x50}).has_value() && link.run());

    for (int round = 0; round != 3; ++round) {
        count = 0;
        for (std::uint32_t i = 0; i != buffers; ++i)
            CHECK(source.try_send(std::array{static_cast<std::byte>(i)}).has_value() && link.run());
        CHECK(count == buffers && source.try_send(std::array{std::byte{9}}).error() == errc::full);
        bool right = true;
        for (std::uint32_t i = 0; i != buffers; ++i)
            right &= held[i].payload()[0] == static_cast<std::byte>(i) &&
                     two_ends::holds(held[i].payload().data());
        CHECK(right);
        for (const std::size_t which : {2U, 0U, 3U, 1U})
            held[which] = {};
        CHECK(link.run());
    }
}

void comes_back_after_a_restart() noexcept
{
    two_ends link;
    std::uint32_t answers = 0;
    endpoint service{link.device, echo_back};
    endpoint client{link.driver, [&](message) { ++answers; }};
    CHECK(service.open("echo").has_value() && client.open("echo").has_value() && link.run());
    const auto epoch = link.device.epoch();

    for (std::uint32_t i = 1; i <= 20; ++i) {
        auto outlived = service.try_acquire();
        link.driver.stop();
        CHECK(link.run() && !service.is_bound());
        CHECK(std::move(outlived).send(1).error() == errc::stale);
        link.driver.start();
        CHECK(link.run() && link.driver.state() == link_state::up && client.is_bound());
        CHECK(client.try_send(std::array<std::byte, 8>{}).has_value() && link.run() && answers == i);
        CHECK(link.device.epoch() == epoch + i);
    }
}

}  // namespace

void target::test_bus() noexcept
{
    announces_and_binds();
    echoes_growing_payloads();
    sends_in_place_until_full();
    holds_and_releases_in_another_order();
    comes_back_after_a_restart();
}
