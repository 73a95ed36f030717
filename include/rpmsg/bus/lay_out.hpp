#pragma once

#include <rpmsg/bus/memory_layout.hpp>
#include <rpmsg/bus/memory_plan.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/table_check.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/config_space.hpp>
#include <rpmsg/wire/header.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace rpmsg {

/// The first reason why a plan cannot be laid out.
///
/// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, MAX_RPMSG_NUM_BUFS
[[nodiscard]] constexpr plan_fault fault_of(const memory_plan& plan) noexcept
{
    const bool for_linux = plan.driver == driven_by::linux_kernel;
    const bool negotiated = (plan.features & policy::feature::buffer_sizes) != 0;
    if (!vring::aligns_rings(plan.ring_align) || !std::has_single_bit(plan.part_align) ||
        plan.ring_align > plan.part_align)
        return plan_fault::bad_alignment;
    if (!std::has_single_bit(plan.cache_line) || plan.cache_line > plan.part_align)
        return plan_fault::bad_cache_line;
    if (plan.ring_align < plan.cache_line)
        return plan_fault::ring_shares_line;
    for (const auto& way : {plan.to_driver, plan.to_device}) {
        if (!std::has_single_bit(way.count) || way.count > 32768)
            return plan_fault::bad_count;
        if (for_linux && way.count > 256)
            return plan_fault::too_many_for_linux;
        if (way.buffer_size <= sizeof(wire::header))
            return plan_fault::no_room_for_header;
        if (!wire::holds_messages(way.buffer_size))
            return plan_fault::buffer_too_long;
        if (for_linux && !negotiated && way.buffer_size != wire::default_buffer_size)
            return plan_fault::size_for_linux;
        if (way.buffer_size % plan.cache_line != 0)
            return plan_fault::buffers_share_line;
    }
    if (for_linux && plan.to_driver.count != plan.to_device.count)
        return plan_fault::unequal_for_linux;

    const memory_layout at{plan};
    constexpr auto to_driver = policy::vring_id::to_driver;
    constexpr auto to_device = policy::vring_id::to_device;
    const std::array parts{virtio::placed{plan.address, plan.reserved}, at.ring(to_driver),
                           at.ring(to_device), at.buffers(to_driver), at.buffers(to_device)};
    constexpr auto most = std::uint64_t{1} << 62U;  // so that no sum wraps
    const virtio::placed memory{plan.address, plan.size != 0 ? plan.size : most};
    for (const auto& part : parts) {
        if (part.address % plan.part_align != 0)
            return plan_fault::misaligned;
        if (part.address > most || !memory.holds(part.address, part.size))
            return plan_fault::outside;
    }
    for (std::size_t i = 0; i != parts.size(); ++i)
        for (std::size_t j = 0; j != i; ++j)
            if (parts[i].overlaps(parts[j]))
                return plan_fault::overlap;
    return for_linux && !at.has_one_pool() ? plan_fault::two_pools_for_linux : plan_fault::none;
}

/// Whose move it is when a plan cannot be laid out: the planner's.
[[nodiscard]] constexpr errc error_of(plan_fault fault) noexcept
{
    switch (fault) {
    case plan_fault::none: return errc{};
    case plan_fault::bad_count:
    case plan_fault::too_many_for_linux:
    case plan_fault::unequal_for_linux: return errc::bad_ring_size;
    case plan_fault::bad_alignment:
    case plan_fault::bad_cache_line:
    case plan_fault::ring_shares_line:
    case plan_fault::buffers_share_line:
    case plan_fault::misaligned: return errc::misaligned;
    case plan_fault::no_room_for_header:
    case plan_fault::buffer_too_long:
    case plan_fault::size_for_linux: return errc::unsupported;
    case plan_fault::two_pools_for_linux:
    case plan_fault::overlap:
    case plan_fault::outside: return errc::out_of_map;
    }
    return errc{};
}

/// Lays out a plan that is known only when the program runs.
///
/// @return errc::bad_ring_size, errc::misaligned, errc::unsupported, errc::out_of_map; fault_of() says more.
[[nodiscard]] constexpr result<memory_layout> lay_out(const memory_plan& plan) noexcept
{
    if (const auto fault = fault_of(plan); fault != plan_fault::none)
        return error_of(fault);
    return memory_layout{plan};
}

/// The layout of a plan that the compiler checked.
template <memory_plan Plan>
class laid_out : public memory_layout {
    static constexpr auto fault = fault_of(Plan);
    static_assert(fault != plan_fault::bad_count,
                  "rpmsg::memory_plan: a count is no power of two from 1 to 32768");
    static_assert(fault != plan_fault::too_many_for_linux,
                  "rpmsg::memory_plan: Linux has at most 256 buffers in a direction");
    static_assert(fault != plan_fault::unequal_for_linux,
                  "rpmsg::memory_plan: Linux wants as many buffers in one direction as in the other");
    static_assert(fault != plan_fault::no_room_for_header,
                  "rpmsg::memory_plan: a buffer has no room for a header of 16 bytes and a payload");
    static_assert(
        fault != plan_fault::buffer_too_long,
        "rpmsg::memory_plan: a buffer is longer than 65535 bytes, which is all that a header can tell");
    static_assert(fault != plan_fault::size_for_linux,
                  "rpmsg::memory_plan: Linux has buffers of 512 bytes unless features has buffer_sizes");
    static_assert(fault != plan_fault::bad_alignment,
                  "rpmsg::memory_plan: alignments are powers of two, ring_align from 4 bytes to part_align");
    static_assert(fault != plan_fault::bad_cache_line,
                  "rpmsg::memory_plan: cache_line is no power of two, or more than part_align");
    static_assert(fault != plan_fault::ring_shares_line,
                  "rpmsg::memory_plan: a cache line has two writers: ring_align is less than cache_line");
    static_assert(
        fault != plan_fault::buffers_share_line,
        "rpmsg::memory_plan: a cache line has two buffers: a buffer_size is no multiple of cache_line");
    static_assert(fault != plan_fault::misaligned,
                  "rpmsg::memory_plan: the memory or a part of it begins at no multiple of part_align");
    static_assert(fault != plan_fault::two_pools_for_linux,
                  "rpmsg::memory_plan: Linux takes all buffers from one piece, those to the driver first");
    static_assert(fault != plan_fault::overlap, "rpmsg::memory_plan: two parts overlap");
    static_assert(fault != plan_fault::outside, "rpmsg::memory_plan: a part lies outside the memory");

public:
    constexpr laid_out() noexcept : memory_layout{Plan} {}

    /// The resource table, with config space if the sizes are negotiated: to be put into `.resource_table`.
    [[nodiscard]] static constexpr auto table() noexcept
    {
        constexpr memory_layout at{Plan};
        static_assert(at.fits_table(),
                      "rpmsg::memory_plan: a vring lies above 4 GiB, where no table can place it");
        if constexpr (at.states_sizes())
            return at.table_with_sizes();
        else
            return at.plain_table();
    }
};

/// Lays out a plan, checked when the program is built: a fault is a line of the compiler's.
///
/// `constexpr auto shared = lay_out<memory_plan{.address = 0x3ED0'0000}>();`
template <memory_plan Plan>
[[nodiscard]] constexpr laid_out<Plan> lay_out() noexcept
{
    return {};
}

}  // namespace rpmsg
