#pragma once

/// @file
/// One link in one process, as the benchmarks want it.

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace benchmark {

/// What the two sides of a machine with a mailbox have: ringing is one store, and nobody is asked.
///
/// @tparam Buffers  In each direction.
/// @tparam Slots    board::address_slots.
template <std::uint16_t Buffers, std::size_t Slots = 4>
struct board : rpmsg::policy::board_defaults {
    struct doorbell : rpmsg::policy::doorbell_defaults {
        static constexpr bool always_ring = true;
        volatile std::uint32_t* mailbox = nullptr;
        void ring(rpmsg::policy::vring_id /*which*/) noexcept { *mailbox = 1; }
    };
    using coherence = rpmsg::policy::smp;
    using address_map = rpmsg::policy::offset;
    using ring = rpmsg::policy::ring_of<Buffers>;
    static constexpr std::size_t address_slots = Slots;
    static constexpr auto inbound = rpmsg::policy::inbound::polled;
};

/// A line or two, so that what two threads write does not share one.
inline constexpr std::size_t apart = 128;

/// Shared memory and the two buses over it. Has to stay where it is.
///
/// @tparam Size  Of a buffer, header included.
template <typename Board, std::uint32_t Size = rpmsg::wire::default_buffer_size>
class link {
    static constexpr std::uint16_t buffers = Board::ring::capacity;
    static constexpr std::size_t pool_size = std::size_t{buffers} * Size;
    static constexpr auto ring_size = rpmsg::vring::layout_of(buffers, 4096).size;
    static constexpr std::size_t second_ring = 4096 + (ring_size + 4095) / 4096 * 4096;
    static constexpr std::size_t pools = second_ring * 2;

    struct alignas(4096) shared {
        rpmsg::wire::rpmsg_table table =
            rpmsg::wire::make_rpmsg_table(Board::dialect::features, {.address = 4096, .num = buffers},
                                          {.address = second_ring, .num = buffers});
        std::array<std::byte, pools + 2 * pool_size> rest{};
    };
    struct alignas(apart) mailbox {
        volatile std::uint32_t word = 0;
    };

    shared memory_;
    mailbox of_driver_;
    mailbox of_device_;

    rpmsg::policy::offset map() { return {std::as_writable_bytes(std::span{&memory_, 1}), 0}; }
    rpmsg::policy::set<Board> policies(mailbox& peer)
    {
        return {.doorbell = {{}, &peer.word}, .address_map = map()};
    }
    rpmsg::buffer_pool pool()
    {
        const auto bytes = std::as_writable_bytes(std::span{&memory_, 1});
        return {.to_driver = bytes.subspan(pools, pool_size),
                .to_device = bytes.subspan(pools + pool_size, pool_size),
                .to_driver_size = Size,
                .to_device_size = Size};
    }

public:
    alignas(apart) rpmsg::device_bus<Board> device{memory_.table, policies(of_driver_)};
    alignas(apart) rpmsg::driver_bus<Board> driver{memory_.table, pool(), policies(of_device_)};

    /// @return Whether the link is up.
    bool connect()
    {
        for (int i = 0; i != 4; ++i) {
            device.poll();
            driver.poll();
        }
        return device.state() == rpmsg::link_state::up && driver.state() == rpmsg::link_state::up;
    }
};

/// The addresses of the measured endpoints.
inline constexpr rpmsg::address driver_address{0x400};
inline constexpr rpmsg::address device_address{0x401};

}  // namespace benchmark
