#pragma once

#include <rpmsg/platform/linux/eventfd.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/guest_memory.hpp>
#include <rpmsg/platform/linux/listening_socket.hpp>
#include <rpmsg/platform/linux/vhost_user_message.hpp>
#include <rpmsg/platform/linux/vhost_user_rings.hpp>
#include <rpmsg/platform/linux/vhost_user_session.hpp>
#include <rpmsg/platform/linux/vhost_user_socket.hpp>
#include <rpmsg/platform/linux/waiters.hpp>
#include <rpmsg/platform/linux/watched_files.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace rpmsg::platform {

/// How much went over the sockets of a device.
struct vhost_user_counts {
    std::uint64_t kicks = 0;     ///< Doorbells of the guest.
    std::uint64_t calls = 0;     ///< Doorbells to the guest.
    std::uint64_t guests = 0;    ///< Connections that were taken.
    std::uint64_t requests = 0;  ///< Of the protocol.
    std::uint64_t refused = 0;   ///< Those of them that made no sense.
    std::uint64_t cut_off = 0;   ///< Connections that were ended for that reason.
};

namespace vhost_user {

/// The sockets of a device: takes guests in, one after the other, and does what they ask for.
///
/// It sleeps nowhere: what has come is looked at in take(), by whoever waits for the bus.
///
/// @context Any thread; take() by one at a time.
class service {
public:
    explicit service(const vhost_user_offer& offer) noexcept : offer_{offer}, shared_{files_}
    {
        if (auto made = make_eventfd())
            wake_ = *std::move(made);
        static_cast<void>(files_.add(wake_, wake_name));  // without it listen() and serve() fail
    }
    service(const service&) = delete;
    service& operator=(const service&) = delete;
    ~service() = default;

    /// Bits of virtio's features to offer to guests that come from now on.
    void offer(std::uint32_t features) noexcept
    {
        const std::lock_guard hold{mutex_};
        features_ = features;
    }
    /// Takes in guests that connect at a path. @return As listening_socket::at().
    result<void> listen(std::string_view path) noexcept
    {
        auto made = listening_socket::at(path);
        if (!made)
            return made.error();
        if (!wake_)
            return errc::system;
        const std::lock_guard hold{mutex_};
        files_.remove(door_.file());
        door_ = *std::move(made);
        return guest_ ? result<void>{} : files_.add(door_.file(), door_name);
    }
    /// Takes in one that is connected already. @return errc::busy: there is one; errc::system: no socket.
    result<void> serve(file_descriptor connected) noexcept
    {
        const std::lock_guard hold{mutex_};
        if (guest_)
            return errc::busy;
        if (!wake_)
            return errc::system;
        return begin(std::move(connected));
    }

    [[nodiscard]] guest_memory& memory() noexcept { return memory_; }
    [[nodiscard]] rings& shared_rings() noexcept { return shared_; }
    /// Whether a guest is connected.
    [[nodiscard]] bool has_guest() const noexcept
    {
        const std::lock_guard hold{mutex_};
        return guest_.has_value();
    }
    [[nodiscard]] vhost_user_counts counts() const noexcept
    {
        const std::lock_guard hold{mutex_};
        auto all = counts_;
        all.kicks = shared_.kicks();
        all.calls = shared_.calls();
        return all;
    }

    // As a bell.

    [[nodiscard]] int fd() const noexcept { return files_.fd(); }
    void wake() noexcept { eventfd_doorbell{wake_}.ring(); }
    /// Does what has come: of one that sends without end, so much at a time.
    bool take() noexcept
    {
        const std::lock_guard hold{mutex_};
        bool took = false;
        for (int turn = 0; turn < most_turns; ++turn) {
            std::array<std::uint32_t, 5> names{};
            const auto ready = files_.ready(names);
            if (ready.empty())
                break;
            took = true;
            // Requests first: a doorbell may be for what they say.
            for (const auto name : ready)
                if (name < rings::first_kick)
                    hear(name);
            for (const auto name : ready)
                if (name >= rings::first_kick)
                    shared_.take_kick(name - rings::first_kick);
        }
        return took;
    }

private:
    static constexpr std::uint32_t wake_name = 0;
    static constexpr std::uint32_t door_name = 1;
    static constexpr std::uint32_t guest_name = 2;
    static constexpr int most_turns = 8;
    static constexpr int most_requests = 64;

    struct guest {
        guest(file_descriptor connected, const vhost_user_offer& offer, std::uint32_t features,
              guest_memory& memory, rings& shared) noexcept
            : socket{std::move(connected)},
              agreed{offer, features, memory, shared}
        {}
        peer_socket socket;
        session agreed;
    };

    void hear(std::uint32_t name) noexcept
    {
        if (name == wake_name) {
            eventfd_bell{wake_}.take();
        } else if (name == door_name) {
            if (auto came = door_.accept(); came && !guest_)
                static_cast<void>(begin(*std::move(came)));
        } else if (guest_) {
            hear_guest();
        }
    }
    result<void> begin(file_descriptor connected) noexcept
    {
        guest_.emplace(std::move(connected), offer_, features_, memory_, shared_);
        if (const auto watched = files_.add(guest_->socket.file(), guest_name); !watched) {
            guest_.reset();
            return watched;
        }
        files_.remove(door_.file());  // or it could be read all the time while somebody waits there
        ++counts_.guests;
        return {};
    }
    void hear_guest() noexcept
    {
        for (int i = 0; i < most_requests; ++i) {
            const auto in = guest_->socket.next();
            if (in.error() == errc::empty)
                return;
            if (in || in.error() == errc::unsupported || in.error() == errc::malformed)
                ++counts_.requests;
            if (in.error() == errc::system) {
                end();
                return;
            }
            if (guest_->agreed.handle(guest_->socket, in) == errc{})
                continue;
            ++counts_.refused;
            if ((in || in.error() == errc::unsupported) && guest_->agreed.was_answered())
                continue;
            ++counts_.cut_off;
            end();
            return;
        }
    }
    void end() noexcept
    {
        files_.remove(guest_->socket.file());
        guest_.reset();
        shared_.clear();
        static_cast<void>(memory_.offer(nullptr));
        memory_.part();
        if (door_)
            static_cast<void>(files_.add(door_.file(), door_name));
    }

    vhost_user_offer offer_;
    mutable std::mutex mutex_;
    watched_files files_;
    file_descriptor wake_;
    listening_socket door_;
    guest_memory memory_;
    rings shared_;
    std::optional<guest> guest_;
    std::uint32_t features_ = 0;
    vhost_user_counts counts_;
};

/// A service as the bell of waiters.
class service_bell {
public:
    explicit service_bell(service& of) noexcept : service_{&of} {}

    [[nodiscard]] int fd() const noexcept { return service_->fd(); }
    bool take() noexcept { return service_->take(); }
    void wake() noexcept { service_->wake(); }

private:
    service* service_;
};
static_assert(bell<service_bell>);

}  // namespace vhost_user

}  // namespace rpmsg::platform
