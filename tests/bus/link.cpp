#include <rpmsg/bus/link.hpp>

#include <rpmsg/bus/device_link.hpp>
#include <rpmsg/bus/driver_link.hpp>

#include "bus/link_memory.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <type_traits>

using namespace rpmsg;

namespace {

/// Whether N buffers go in and come out, the last one first.
template <std::uint16_t N>
constexpr bool parks()
{
    parked_buffers<N> parked;
    if (parked.count() != 0)
        return false;
    for (std::uint32_t lap = 0; lap != 2; ++lap) {
        for (std::uint32_t id = 0; id != N; ++id)
            parked.push(static_cast<std::uint16_t>(id));
        if (parked.count() != N)
            return false;
        for (std::uint32_t id = N; id != 0; --id) {
            if (parked.top() != id - 1)
                return false;
            parked.pop();
        }
    }
    parked.push(0);
    parked.clear();
    return parked.count() == 0;
}
static_assert(parks<1>() && parks<2>() && parks<16>() && parks<128>() && parks<256>() && parks<512>());

// A byte a buffer while ids fit one.
static_assert(sizeof(parked_buffers<16>) <= 18 && sizeof(parked_buffers<256>) <= 258);
static_assert(sizeof(parked_buffers<512>) <= 2 * 512 + 2);

static_assert(std::is_trivially_copyable_v<room> && std::is_trivially_copyable_v<grant>);

struct with_events : plain_board {
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};

/// Both ends of a link. Each takes part only when it knows that there is something to do, as one does that
/// sleeps otherwise; and each may be killed and started anew at any moment.
template <typename Board>
class two_ends : link_memory {
    using device_end = device_link<Board, virtio::resource_table>;
    using driver_end = driver_link<Board, virtio::resource_table>;

public:
    explicit two_ends(std::uint32_t seed) : link_memory{8, 4, Board::dialect::features}, random_{seed}
    {
        start_device();
        start_driver();
    }

    void do_something()
    {
        switch (random_() % 16) {
        case 0: start_device(); break;
        case 1: start_driver(); break;
        case 2:
            if (device_up_)
                device_->give_up();
            break;
        case 3:
            if (driver_up_)
                driver_->give_up();
            break;
        case 4: device_->stop(), device_->start(), device_up_ = false; break;
        case 5: driver_->stop(), driver_->start(), driver_up_ = false; break;
        case 6:
        case 7:
        case 8: step_device(); break;
        case 9:
        case 10:
        case 11: step_driver(); break;
        case 12:
            if (driver_up_)
                static_cast<void>(send(*driver_, random_() & 0xFFFFU));
            break;
        case 13:
            if (device_up_)
                static_cast<void>(send(*device_, random_() & 0xFFFFU));
            break;
        case 14:
            if (driver_up_)
                static_cast<void>(receive(*driver_));
            break;
        default:
            if (device_up_)
                static_cast<void>(receive(*device_));
            break;
        }
    }

    /// Both are left alone. @return Whether the link is up soon, and works.
    bool comes_back()
    {
        for (int i = 0; i != 12; ++i) {
            step_device();
            step_driver();
            drain(*device_, device_up_);  // what is left from before
            drain(*driver_, driver_up_);
        }
        if (!device_up_ || !driver_up_ || !device_->intact() || !driver_->intact())
            return false;
        for (std::uint32_t i = 0; i != 20; ++i) {
            if (!send(*driver_, i) || receive(*device_) != i || !send(*device_, ~i) ||
                receive(*driver_) != ~i)
                return false;
        }
        return true;
    }

private:
    void start_device()
    {
        device_.emplace(table, policy::set<Board>{.address_map = map});
        device_->start();
        device_up_ = false;
    }
    void start_driver()
    {
        driver_.emplace(table, buffer_pool{.to_driver = piece(buffers_at, 12 * buffer_size)},
                        policy::set<Board>{.address_map = map});
        driver_->start();
        driver_up_ = false;
    }
    void step_device()
    {
        if (device_->has_change())
            follow(device_->step(), device_up_);
    }
    void step_driver()
    {
        if (driver_->has_change())
            follow(driver_->step(), driver_up_);
    }
    static void follow(link_change change, bool& up)
    {
        if (change == link_change::came_up)
            up = true;
        else if (change == link_change::went_down || change == link_change::broke_down)
            up = false;
    }

    template <typename End>
    static bool send(End& end, std::uint32_t content)
    {
        const auto taken = next_buffer(end);
        if (taken.why != errc{})
            return false;
        std::memcpy(taken.buffer.data + sizeof(wire::header), &content, sizeof content);
        end.publish_tx(taken.buffer.id, sizeof(wire::header) + sizeof content);
        return true;
    }
    template <typename End>
    static std::optional<std::uint32_t> receive(End& end)
    {
        const auto in = next_message(end);
        if (in.why == errc::protocol)
            static_cast<void>(end.give_up());
        if (in.why != errc{})
            return {};
        std::optional<std::uint32_t> content;
        if (in.buffer.data != nullptr && in.buffer.capacity >= sizeof(wire::header) + sizeof(std::uint32_t)) {
            content.emplace();
            std::memcpy(&*content, in.buffer.data + sizeof(wire::header), sizeof *content);
        }
        end.take_rx(in.buffer);
        end.give_rx(in.buffer.id, in.buffer.capacity);
        return content;
    }

    template <typename End>
    static void drain(End& end, bool up)
    {
        for (int i = 0; up && has_rx(end) && i != 20; ++i)
            static_cast<void>(receive(end));
    }

    std::minstd_rand random_;
    std::optional<device_end> device_;
    std::optional<driver_end> driver_;
    bool device_up_ = false;
    bool driver_up_ = false;
};

}  // namespace

TEMPLATE_TEST_CASE("a link comes back whoever is restarted or gives up, at whatever moment",
                   "[bus][restart][random]", plain_board, with_events)
{
    std::uint32_t lost = 0;
    for (std::uint32_t seed = 1; seed != 2001; ++seed) {
        two_ends<TestType> link{seed};
        for (int life = 0; life != 5; ++life) {
            for (std::uint32_t i = 0; i != 1 + seed % 40; ++i)
                link.do_something();
            if (!link.comes_back()) {
                UNSCOPED_INFO("seed " << seed << ", life " << life);
                ++lost;
                break;
            }
        }
    }
    CHECK(lost == 0);
}
