#pragma once

#include "failure.hpp"
#include "waiting.hpp"

#include <rpmsg/platform/linux/await_readable.hpp>
#include <rpmsg/platform/linux/char_device.hpp>
#include <rpmsg/rpmsg.hpp>

#include <string>
#include <string_view>

namespace tool {

/// We are a program of the Linux side: the kernel is the driver, and endpoints are nodes in /dev.
class dev_way {
public:
    using bus_type = rpmsg::platform::char_bus;
    static constexpr std::string_view kind = "dev";
    static constexpr std::string_view nobody =
        "there is no control device in /dev (rpmsg list shows what there is)";

    /// @param device  Which remote processor: a part of its path in /sys/devices; empty: the first. Outlives this.
    explicit dev_way(const std::string& device)
        : bus_{rpmsg::platform::char_place{.on = device.empty() ? nullptr : device.c_str()}}
    {
        if (bus_.fd() < 0)
            throw failure{status::failed, "cannot wait for /dev: {}", reason(rpmsg::errc::system)};
    }

    bus_type& bus() noexcept { return bus_; }
    void attend() noexcept {}
    void add_files(files& watched)
    {
        // When every buffer is held the file can be read, and poll() cannot: what gives one back wakes us then.
        const bool is_starved = rpmsg::platform::await_readable(bus_.fd(), {}) && !bus_.has_work();
        watched.push_back({is_starved ? -1 : bus_.fd(), POLLIN, 0});
    }

private:
    bus_type bus_;
};

}  // namespace tool
