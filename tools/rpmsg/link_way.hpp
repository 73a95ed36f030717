#pragma once

#include "failure.hpp"
#include "waiting.hpp"

#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/link_files.hpp>
#include <rpmsg/platform/linux/process_board.hpp>
#include <rpmsg/rpmsg.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace tool {

/// What both ends of a link between two processes have; `Bus` is made by the one that derives from it.
template <typename Bus>
class process_way {
public:
    using bus_type = Bus;
    static constexpr std::string_view kind = "link";
    static constexpr std::string_view nobody = "the other side does not answer";

    process_way(const process_way&) = delete;
    process_way& operator=(const process_way&) = delete;

    Bus& bus() noexcept { return bus_; }

    /// Before each poll of the bus: takes back the rings so far.
    void attend() { end_.waiters().drain(); }
    [[nodiscard]] bool has_gone() noexcept { return end_.peer().peer() == rpmsg::policy::peer_life::gone; }
    void add_files(files& watched)
    {
        watched.push_back({end_.waiters().fd(), POLLIN, 0});
        watched.push_back(end_.peer().watched());
    }

protected:
    /// @param make  Makes the bus from the end.
    template <typename Make>
    process_way(rpmsg::platform::link_files shared, rpmsg::virtio::role self, Make make)
        : files_{std::move(shared)},
          end_{files_, self},
          bus_{make(files_.memory.bytes(), end_)}
    {}
    ~process_way() = default;

    const rpmsg::platform::link_files files_;
    rpmsg::platform::process_end end_;
    Bus bus_;
};

/// Our end is the driver: we make the memory and hand it to the device that listens.
class link_way : public process_way<rpmsg::driver_bus<rpmsg::platform::eventfd_board>> {
    /// As many buffers of the same size as Linux makes.
    static constexpr rpmsg::platform::process_layout layout{.buffers = 256};

public:
    /// @param socket  Connected to the device; hangs up when it ends.
    explicit link_way(rpmsg::platform::file_descriptor socket)
        : process_way{must(rpmsg::platform::link_files::create(layout.size(), "rpmsg-link"),
                           "cannot make the shared memory"),
                      rpmsg::virtio::role::driver,
                      [](std::span<std::byte> memory, rpmsg::platform::process_end& end) {
                          return bus_type{layout.write_table(memory), layout.pool(memory),
                                          end.policies<rpmsg::platform::eventfd_board>()};
                      }}
    {
        must(rpmsg::platform::send_link(socket, files_), "cannot hand the link over");
        must(end_.watch(std::move(socket)), "cannot watch the other side");
    }

    /// The same; throws when the other process has gone, because no other comes in its place.
    void attend()
    {
        process_way::attend();
        if (has_gone())
            throw failure{status::failed, "the other side has gone"};
    }
};

/// Our end is the device, in memory that the driver handed over.
class link_device : public process_way<rpmsg::device_bus<rpmsg::platform::eventfd_board>> {
public:
    link_device(rpmsg::platform::link_files shared, rpmsg::platform::file_descriptor socket)
        : process_way{std::move(shared), rpmsg::virtio::role::device,
                      [](std::span<std::byte> memory, rpmsg::platform::process_end& end) {
                          return bus_type{must(rpmsg::platform::process_layout::table_in(memory),
                                               "cannot use the memory"),
                                          end.policies<rpmsg::platform::eventfd_board>()};
                      }}
    {
        must(end_.watch(std::move(socket)), "cannot watch the other side");
    }
};

}  // namespace tool
