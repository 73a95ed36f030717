#pragma once

#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/name_service/address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace rpmsg {

/// Finds endpoints by address: any number of them, O(1) while there are no more than slots.
///
/// @tparam Slots         Buckets, a power of two.
/// @tparam FirstDynamic  Where the addresses that we choose begin.
/// @context The caller holds the bus's exclusion.
template <std::size_t Slots, std::uint32_t FirstDynamic>
class endpoint_table {
    static_assert(Slots != 0 && (Slots & (Slots - 1)) == 0, "board::address_slots must be a power of two");

public:
    [[nodiscard]] constexpr endpoint_node* find(address a) const noexcept
    {
        auto* node = slots_[slot(a)];
        while (node != nullptr && node->local != a)
            node = node->next_in_slot;
        return node;
    }

    /// @pre Its address is not in the table.
    constexpr void insert(endpoint_node& node) noexcept
    {
        node.next_in_slot = slots_[slot(node.local)];
        slots_[slot(node.local)] = &node;
    }

    /// @pre It is in the table.
    constexpr void remove(endpoint_node& node) noexcept
    {
        auto** at = &slots_[slot(node.local)];
        while (*at != &node)
            at = &(*at)->next_in_slot;
        *at = node.next_in_slot;
    }

    /// An address that nobody has; one given back is chosen again as late as can be.
    /// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, RPMSG_RESERVED_ADDRESSES
    [[nodiscard]] constexpr address choose() noexcept
    {
        for (;;) {  // ends: there are fewer endpoints than addresses
            const address a{FirstDynamic + chosen_};
            chosen_ = a.value() == wire::any_address - 1 ? 0 : chosen_ + 1;
            if (a != name_service_address && find(a) == nullptr)
                return a;
        }
    }

private:
    static constexpr std::size_t slot(address a) noexcept { return a.value() & (Slots - 1); }

    std::array<endpoint_node*, Slots> slots_{};
    std::uint32_t chosen_ = 0;  // how many since FirstDynamic
};

}  // namespace rpmsg
