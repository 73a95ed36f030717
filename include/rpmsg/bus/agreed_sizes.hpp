#pragma once

#include <rpmsg/bus/buffer_pool.hpp>
#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/wire/config_space.hpp>

#include <cstdint>
#include <type_traits>

namespace rpmsg {

/// The sizes of a driver's buffers: those that the device states, where the dialect asks for them and the device
/// does; else those of the pool.
template <policy::dialect Dialect>
class agreed_sizes {
    static constexpr bool may_be_stated = (Dialect::features & policy::feature::buffer_sizes) != 0;

public:
    /// Asks the device, if it offers to say.
    ///
    /// @param features  Those that will be accepted.
    /// @return errc::malformed when what it states cannot be used.
    /// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, struct virtio_rpmsg_config; virtio 1.2, 2.5 "Device Configuration Space"
    template <typename Transport, typename Barriers>
    errc agree(Transport& transport, Barriers& barriers, std::uint32_t features,
               const buffer_pool& pool) noexcept
    {
        if constexpr (may_be_stated) {
            static_assert(
                requires { transport.buffer_sizes(barriers); },
                "rpmsg::driver_bus: this transport has no config space: buffer sizes cannot be negotiated");
            agreed_ = pool.sizes();
            if ((features & policy::feature::buffer_sizes) == 0)
                return errc{};
            const auto stated = transport.buffer_sizes(barriers);
            if (stated)
                agreed_ = *stated;
            return stated.error();
        }
        return errc{};
    }

    /// What was agreed on last. @param pool  The same.
    [[nodiscard]] wire::buffer_sizes of(const buffer_pool& pool) const noexcept
    {
        if constexpr (may_be_stated)
            return agreed_;
        else
            return pool.sizes();
    }

private:
    [[no_unique_address]] std::conditional_t<may_be_stated, wire::buffer_sizes, std::false_type> agreed_{};
};
static_assert(std::is_empty_v<agreed_sizes<policy::linux_kernel>>);

}  // namespace rpmsg
