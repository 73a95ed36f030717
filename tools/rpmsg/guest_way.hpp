#pragma once

#include "failure.hpp"
#include "guest_options.hpp"
#include "meeting.hpp"
#include "waiting.hpp"

#include <rpmsg/platform/linux/vhost_user.hpp>
#include <rpmsg/rpmsg.hpp>

#include <string>
#include <string_view>

namespace tool {

/// A guest that is offered EVENT_IDX.
struct event_idx_board : rpmsg::platform::vhost_user_board {
    using dialect = rpmsg::policy::with_event_idx<rpmsg::policy::linux_kernel>;
};

/// We are the device, and the driver is the kernel of a guest that comes to our socket.
template <typename Board>
class guest_way {
public:
    using bus_type = rpmsg::device_bus<Board, rpmsg::platform::vhost_user_transport>;
    static constexpr std::string_view kind = "guest";
    static constexpr std::string_view nobody = "no guest came";

    /// Listens at the socket.
    guest_way(const std::string& socket, const guest_options& chosen)
        : end_{rpmsg::platform::vhost_user_offer{.version_1 = !chosen.legacy, .inband = chosen.inband}}
    {
        check_path(socket);
        must(end_.listen(socket), "cannot listen at " + socket);
    }

    bus_type& bus() noexcept { return bus_; }
    void attend() { end_.service(); }
    void add_files(files& watched) { watched.push_back({end_.fd(), POLLIN, 0}); }

    [[nodiscard]] bool has_guest() const noexcept { return end_.has_guest(); }
    [[nodiscard]] rpmsg::platform::vhost_user_counts counts() const noexcept { return end_.counts(); }

private:
    rpmsg::platform::vhost_user_end end_;
    bus_type bus_{end_.transport(), end_.template policies<Board>()};
};

/// The same for a command that ends with its first guest: attend() throws when that has gone.
template <typename Board>
class one_guest_way : public guest_way<Board> {
public:
    using guest_way<Board>::guest_way;

    void attend()
    {
        guest_way<Board>::attend();
        if (came_ && !this->has_guest())
            throw failure{status::failed, "the guest has gone"};
        came_ = this->has_guest();
    }

private:
    bool came_ = false;
};

}  // namespace tool
