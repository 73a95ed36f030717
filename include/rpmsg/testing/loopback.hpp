#pragma once

#include <rpmsg/bus/buffer_pool.hpp>
#include <rpmsg/bus/bus.hpp>
#include <rpmsg/bus/memory_layout.hpp>
#include <rpmsg/bus/memory_plan.hpp>
#include <rpmsg/policy/address_map.hpp>
#include <rpmsg/policy/board.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/policy/wait.hpp>
#include <rpmsg/testing/counting_doorbell.hpp>
#include <rpmsg/testing/manual_clock.hpp>
#include <rpmsg/virtio/resource_table.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/header.hpp>
#include <rpmsg/wire/resource_table.hpp>
#include <rpmsg/wire/vring.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace rpmsg::testing {

/// What the other end does while one sleeps.
struct turn {
    void (*take)(void*) noexcept = nullptr;
    void* whose = nullptr;
};

/// Sleeps by giving the peer its turn; if that brought nothing, the clock moves on.
///
/// @tparam Clock  Has a static `slept()`.
template <typename Clock>
class basic_loopback_wait {
public:
    constexpr basic_loopback_wait() noexcept = default;
    explicit constexpr basic_loopback_wait(const turn& peers) noexcept : peers_{&peers} {}

    template <typename Ready, typename Deadline>
    void sleep(Ready&& ready, Deadline /*until*/) noexcept
    {
        if (peers_ != nullptr)
            peers_->take(peers_->whose);
        if (!ready())
            Clock::slept();
    }

private:
    const turn* peers_ = nullptr;
};
using loopback_wait = basic_loopback_wait<manual_clock>;
static_assert(policy::wait<loopback_wait>);

/// What both ends of a loopback have unless the test says otherwise; a test's board derives from it.
struct loopback_board : policy::board_defaults {
    using doorbell = counting_doorbell<>;
    using address_map = policy::offset;
    using wait = loopback_wait;
    using clock = manual_clock;
};
static_assert(policy::board<loopback_board>);

/// How the shared memory is laid out.
struct loopback_shape {
    std::uint32_t to_driver_count = 0;  ///< Descriptors, and buffers; 0: as the driver's board says.
    std::uint32_t to_device_count = 0;
    std::uint32_t to_driver_size = wire::default_buffer_size;  ///< Bytes of each buffer.
    std::uint32_t to_device_size = wire::default_buffer_size;
    std::uint32_t align = 4096;            ///< Of the rings.
    std::uint32_t features = 0xFFFF'FFFF;  ///< Offered by the device, of what its dialect has.
    std::uint32_t address = 0x3ED0'0000;   ///< Of the first byte, as descriptors and the table say it.
    bool driver_places_rings = false;      ///< The table says "any", and the driver chooses.
};

/// The memory of one link: a resource table, two rings and their buffers, in this order.
///
/// Its address as descriptors and the table say it is another than that of our pointers.
class loopback_memory {
public:
    explicit loopback_memory(const loopback_shape& shape, policy::ring_alignment rule)
        : layout_{plan_of(shape, rule)},
          bytes_{static_cast<std::byte*>(::operator new(layout_.size(), alignment())), freed{alignment()}}
    {
        std::fill_n(bytes_.get(), layout_.size(), std::byte{});
        table_ = *layout_.write_table(bytes());
    }

    /// All of it.
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {bytes_.get(), layout_.size()}; }
    [[nodiscard]] const memory_layout& places() const noexcept { return layout_; }
    [[nodiscard]] const virtio::resource_table& resources() const noexcept { return table_; }
    [[nodiscard]] wire::rpmsg_table& table() const noexcept
    {
        return *reinterpret_cast<wire::rpmsg_table*>(bytes_.get());
    }
    [[nodiscard]] policy::offset map() const noexcept { return {bytes(), layout_.address()}; }
    /// The driver's buffers.
    [[nodiscard]] buffer_pool pool() const noexcept { return layout_.pool(bytes()); }
    /// One ring as it lies there.
    [[nodiscard]] vring::split ring(policy::vring_id which) const noexcept
    {
        return {bytes_.get() + layout_.offset_of(layout_.ring(which)), layout_.parts(which)};
    }
    /// Where the parts of one ring lie.
    [[nodiscard]] vring::layout layout(policy::vring_id which) const noexcept { return layout_.parts(which); }
    /// Header and payload of the buffer that a descriptor names; empty if it names none of this memory.
    [[nodiscard]] std::span<std::byte> buffer(policy::vring_id which, std::uint16_t id) const noexcept
    {
        const auto& named = ring(which).descriptor_at(id);
        auto* const local = map().to_local(named.addr, named.len);
        return local != nullptr ? std::span{local, named.len} : std::span<std::byte>{};
    }
    /// Whether something lies in this memory: so it was not copied.
    [[nodiscard]] bool holds(const void* what) const noexcept
    {
        return map().holds(static_cast<const std::byte*>(what));
    }

private:
    struct freed {
        std::align_val_t align;
        void operator()(std::byte* memory) const noexcept { ::operator delete(memory, align); }
    };
    [[nodiscard]] std::align_val_t alignment() const noexcept
    {
        return std::align_val_t{layout_.plan().part_align};
    }
    static memory_plan plan_of(const loopback_shape& shape, policy::ring_alignment rule) noexcept
    {
        return {.address = shape.address,
                .to_driver = {.count = shape.to_driver_count,
                              .buffer_size = shape.to_driver_size,
                              .notify_id = 1},
                .to_device = {.count = shape.to_device_count,
                              .buffer_size = shape.to_device_size,
                              .notify_id = 2},
                .ring_align = shape.align,
                .part_align = std::max(shape.align, 64U),
                .reserved = sizeof(wire::rpmsg_table_with_sizes),
                .ring_rule = rule,
                .features = shape.features,
                .driver = driven_by::rpmsg_bus,
                .driver_places_rings = shape.driver_places_rings};
    }

    memory_layout layout_;
    std::unique_ptr<std::byte, freed> bytes_;
    virtio::resource_table table_;
};

/// Both ends of a link in one process: for tests of what you build on endpoints, without hardware.
///
/// @code
/// rpmsg::testing::loopback<> link;
/// rpmsg::endpoint echo{link.device(), [](rpmsg::message in) { return in.payload(); }};
/// rpmsg::endpoint ping{link.driver(), [](std::span<const std::byte> answer) { … }};
/// echo.open("echo"), ping.open("echo");
/// link.run();  // the link is up, both are bound
/// @endcode
/// Nothing happens but in run(), in the calls of the test, and while one end waits: then the other polls.
/// Nobody sleeps; time is manual_clock's and passes only for those who wait in vain.
///
/// A board's doorbell, address map and wait are set up where their types are those of loopback_board, or
/// are made from the same; the others are as handed in.
///
/// @context One thread, unless the boards say otherwise.
template <policy::board DriverBoard = loopback_board, policy::board DeviceBoard = DriverBoard>
class loopback : public loopback_memory {
public:
    using driver_type = driver_bus<DriverBoard>;
    using device_type = device_bus<DeviceBoard>;

    explicit loopback(const loopback_shape& shape = {}, policy::set<DriverBoard> driver_models = {},
                      policy::set<DeviceBoard> device_models = {})
        : loopback_memory{completed(shape), DriverBoard::dialect::alignment},
          driver_models_{set_up<DriverBoard>(std::move(driver_models), driver_rung_, device_turn_)},
          device_models_{set_up<DeviceBoard>(std::move(device_models), device_rung_, driver_turn_)},
          driver_{resources(), pool(), driver_models_},
          device_{resources(), device_models_}
    {
        driver_turn_ = {[](void* end) noexcept { static_cast<driver_type*>(end)->poll(); }, &driver_};
        device_turn_ = {[](void* end) noexcept { static_cast<device_type*>(end)->poll(); }, &device_};
    }
    loopback(const loopback&) = delete;
    loopback& operator=(const loopback&) = delete;

    [[nodiscard]] driver_type& driver() noexcept { return driver_; }
    [[nodiscard]] device_type& device() noexcept { return device_; }
    /// The end with a role.
    template <virtio::role Role>
    [[nodiscard]] auto& end() noexcept
    {
        if constexpr (Role == virtio::role::driver)
            return driver_;
        else
            return device_;
    }

    /// Lets both ends poll until neither has anything to do.
    ///
    /// @param turns  Of each end, at most.
    /// @return Whether they came to rest.
    bool run(std::uint32_t turns = 10'000) noexcept
    {
        while (driver_.has_work() || device_.has_work()) {
            if (turns-- == 0)
                return false;
            driver_.poll();
            device_.poll();
        }
        return true;
    }

    /// How often an end rang.
    [[nodiscard]] const rung& rang(virtio::role by) const noexcept
    {
        return by == virtio::role::driver ? driver_rung_ : device_rung_;
    }

    /// Copies of an end's models, for another bus over the same memory: a processor that starts anew.
    [[nodiscard]] const policy::set<DriverBoard>& driver_models() const noexcept { return driver_models_; }
    [[nodiscard]] const policy::set<DeviceBoard>& device_models() const noexcept { return device_models_; }

private:
    static loopback_shape completed(loopback_shape shape) noexcept
    {
        if (shape.to_driver_count == 0)
            shape.to_driver_count = DriverBoard::ring::capacity;
        if (shape.to_device_count == 0)
            shape.to_device_count = DriverBoard::ring::capacity;
        shape.features &= DeviceBoard::dialect::features;
        return shape;
    }

    template <typename Board>
    policy::set<Board> set_up(policy::set<Board> models, rung& count, const turn& peers)
    {
        using bell = typename Board::doorbell;
        using map = typename Board::address_map;
        using wait = typename Board::wait;
        if constexpr (std::is_constructible_v<bell, rung&>)
            models.doorbell = bell{count};
        if constexpr (std::is_constructible_v<map, policy::offset>)
            models.address_map = map{loopback_memory::map()};
        if constexpr (std::is_constructible_v<wait, const turn&>)
            models.wait = wait{peers};
        return models;
    }

    rung driver_rung_;
    rung device_rung_;
    turn driver_turn_;
    turn device_turn_;
    policy::set<DriverBoard> driver_models_;
    policy::set<DeviceBoard> device_models_;
    driver_type driver_;
    device_type device_;
};

}  // namespace rpmsg::testing
