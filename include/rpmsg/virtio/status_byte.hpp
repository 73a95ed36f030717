#pragma once

#include <rpmsg/result.hpp>
#include <rpmsg/virtio/known_rings.hpp>
#include <rpmsg/virtio/status.hpp>
#include <rpmsg/wire/little_endian.hpp>

#include <cstdint>

namespace rpmsg::virtio {

/// The transport of Zephyr's static vrings: rings at known places, and a status byte in shared memory.
///
/// From the written rules of that peer, not from recordings of it. It writes the byte as driver, DRIVER_OK
/// alone, and as device only reads it; so NEEDS_RESET, which our device sets in it, is read by our driver
/// and by nobody else. Zephyr puts the byte in front of the shared memory, in a piece of the rings'
/// alignment of its own.
///
/// A restart is seen as with a resource table: by the status, and by used.idx and the mark of the rings. A
/// Zephyr driver never writes status 0, so of its restart only the rings tell, and the DRIVER_OK that it
/// writes over a NEEDS_RESET.
///
/// @spec Zephyr subsys/ipc/ipc_service/lib/ipc_static_vrings.c, ipc_virtio_set_status()
/// @spec Zephyr subsys/ipc/ipc_service/lib/ipc_static_vrings.c, ipc_virtio_get_status()
class status_byte : public known_rings {
public:
    using byte = wire::little_endian<std::uint8_t>;

    /// @param places  Outlives the bus.
    /// @param shared  In shared memory, in a cache line that holds nothing of either side's; outlives the
    ///                bus. 0 before a driver starts: whoever starts the driver's processor sees to that.
    constexpr status_byte(const ring_places& places, byte& shared) noexcept
        : known_rings{places},
          shared_{&shared}
    {}
    status_byte(const ring_places&& places, byte& shared) = delete;

    template <typename Barriers>
    [[nodiscard]] std::uint8_t status(Barriers& barriers) const noexcept
    {
        barriers.invalidate(shared_, sizeof *shared_);
        return shared_->read_once();
    }
    // The rings are visible before a status that says so, and a status before whatever we look at next.
    template <typename Barriers>
    void set_status(Barriers& barriers, std::uint8_t status) noexcept
    {
        barriers.full_barrier();
        shared_->write_once(status);
        barriers.clean(shared_, sizeof *shared_);
        barriers.full_barrier();
    }
    template <typename Barriers>
    void ask_for_reset(Barriers& barriers) noexcept
    {
        set_status(barriers, static_cast<std::uint8_t>(status(barriers) | status::needs_reset));
    }
    /// There is nothing to look at.
    template <typename Barriers>
    result<void> check(Barriers& /*barriers*/) const noexcept
    {
        return {};
    }

private:
    byte* shared_;
};

}  // namespace rpmsg::virtio
