#pragma once

/// @file
/// From the first thread to the second and back: over a link, and over two plain queues.

#include "measure.hpp"
#include "spsc_queue.hpp"
#include "support.hpp"
#include "worker.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace benchmark {

/// A link whose driver is the first thread's, and whose device the second one's.
///
/// @tparam Size  Of a buffer, header included.
template <std::uint16_t Buffers, std::uint32_t Size>
class link_crossing {
    using board = benchmark::board<Buffers>;

public:
    link_crossing()
    {
        must(link_.connect());
        must(pinger_.open(driver_address, rpmsg::towards{device_address}).has_value());
    }

    window ping_pong(worker& other, std::size_t length)
    {
        must(echo_.open(device_address).has_value());
        other.begin(serve, this);
        auto got = time_round_trips([&] { round_trip(length); });
        other.end();
        must(echo_.close().has_value());
        return got;
    }

    window stream(worker& other, std::size_t length)
    {
        must(sink_.open(device_address).has_value());
        other.begin(serve, this);
        auto got = time_stream([&] { return pinger_.try_send(std::span{text}.first(length)).has_value(); });
        other.end();
        must(sink_.close().has_value());
        return got;
    }

private:
    static void serve(void* self, const std::atomic<unsigned>& orders, unsigned mine) noexcept
    {
        auto& device = static_cast<link_crossing*>(self)->link_.device;
        while (orders.load(std::memory_order_acquire) == mine)
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

    benchmark::link<board, Size> link_;
    alignas(apart) std::uint32_t answers_ = 0;
    rpmsg::endpoint<rpmsg::driver_bus<board>, void, arrived> pinger_{link_.driver, arrived{&answers_}};
    alignas(apart) rpmsg::endpoint<rpmsg::device_bus<board>, void, decltype(echo)> echo_{link_.device, echo};
    rpmsg::endpoint<rpmsg::device_bus<board>, void, decltype(drop)> sink_{link_.device, drop};
};

/// The same over two queues with slots as large as the link's buffers.
template <std::uint16_t Buffers, std::uint32_t Size>
class queue_crossing {
public:
    window ping_pong(worker& other, std::size_t length)
    {
        other.begin(serve<true>, this);
        auto got = time_round_trips([&] {
            must(there_.try_push(std::span{text}.first(length)));
            while (!back_.try_pop([&](std::span<const std::byte> /*in*/) { ++answers_; })) {}
        });
        other.end();
        return got;
    }

    window stream(worker& other, std::size_t length)
    {
        received_ = 0;
        other.begin(serve<false>, this);
        auto got = time_stream([&] { return there_.try_push(std::span{text}.first(length)); });
        other.end();
        must(received_ == blocks * messages_in_block * length);
        return got;
    }

private:
    template <bool Answers>
    static void serve(void* self, const std::atomic<unsigned>& orders, unsigned mine) noexcept
    {
        auto& queues = *static_cast<queue_crossing*>(self);
        const auto receive = [&](std::span<const std::byte> in) {
            if constexpr (Answers)
                must(queues.back_.try_push(in));
            else
                queues.received_ += static_cast<std::uint32_t>(in.size());
        };
        while (orders.load(std::memory_order_acquire) == mine)
            queues.there_.try_pop(receive);
        while (queues.there_.try_pop(receive)) {}
    }

    spsc_queue<Buffers, Size - 16> there_;
    spsc_queue<Buffers, Size - 16> back_;
    alignas(apart) std::uint32_t answers_ = 0;   // the first thread's
    alignas(apart) std::uint32_t received_ = 0;  // the second one's
};

}  // namespace benchmark
