#pragma once

#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/virtio/transport.hpp>

#include <cstdint>

namespace rpmsg::virtio {

/// What both sides of a link were built with, where no table carries it.
struct ring_places {
    ring_place to_driver;  ///< Its address as the device sees it; so the other's.
    ring_place to_device;
    std::uint32_t features = policy::feature::name_service;  ///< What both sides take for granted.
};

/// Both rings of a link as rpmsg-lite lays them out, one behind the other.
///
/// @param shared    Of the memory handed to both sides, as descriptors say it; aligned to `align`.
/// @param num       Buffers of each direction (RL_BUFFER_COUNT): a power of two.
/// @param align     VRING_ALIGN: 0x10 between microcontrollers, 0x1000 towards Linux.
/// @param distance  Bytes from ring to ring (VRING_SIZE), a multiple of `align`; the buffers follow the second.
/// @param link_id   What the port numbers its doorbells by.
/// @spec rpmsg-lite lib/include/platform/*/rpmsg_platform.h, VRING_SIZE
/// @spec rpmsg-lite lib/include/platform/*/rpmsg_platform.h, RL_GET_VQ_ID
[[nodiscard]] constexpr ring_places rpmsg_lite_places(std::uint64_t shared, std::uint32_t num,
                                                      std::uint32_t align, std::uint32_t distance,
                                                      std::uint32_t link_id = 0) noexcept
{
    return {.to_driver = {.address = shared, .num = num, .align = align, .notify_id = 2 * link_id},
            .to_device = {
                .address = shared + distance, .num = num, .align = align, .notify_id = 2 * link_id + 1}};
}

/// The half of a transport that says where the rings are, when everybody has known it from the start.
class known_rings {
public:
    template <typename Barriers>
    [[nodiscard]] ring_place ring(Barriers& /*barriers*/, policy::vring_id which) const noexcept
    {
        return which == policy::vring_id::to_driver ? places_->to_driver : places_->to_device;
    }
    /// They do not move: nothing to compare.
    template <typename Barriers>
    [[nodiscard]] bool ring_mark(Barriers& /*barriers*/, policy::vring_id /*which*/) const noexcept
    {
        return true;
    }
    template <typename Barriers>
    [[nodiscard]] std::uint32_t accepted(Barriers& /*barriers*/) const noexcept
    {
        return places_->features;
    }
    template <typename Barriers>
    [[nodiscard]] std::uint32_t offered(Barriers& /*barriers*/) const noexcept
    {
        return places_->features;
    }
    template <typename Barriers>
    void accept(Barriers& /*barriers*/, std::uint32_t /*features*/) const noexcept
    {}
    /// No place is left to the driver.
    template <typename Barriers>
    [[nodiscard]] bool is_placed(Barriers& /*barriers*/, policy::vring_id /*which*/) const noexcept
    {
        return true;
    }
    /// Never called.
    template <typename Barriers>
    void place_ring(Barriers& /*barriers*/, policy::vring_id /*which*/,
                    std::uint64_t /*address*/) const noexcept
    {}

protected:
    explicit constexpr known_rings(const ring_places& places) noexcept : places_{&places} {}

private:
    const ring_places* places_;  // a constant of the program: it takes no memory of each bus
};

}  // namespace rpmsg::virtio
