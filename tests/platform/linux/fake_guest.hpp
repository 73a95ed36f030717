#pragma once

#include <rpmsg/platform/linux/eventfd.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/vhost_user_message.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/virtio/fixed_rings.hpp>

#include "sent_files.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace platform_test {

/// A frontend of the protocol, with memory, two eventfds and two calls: what user-mode Linux is, without Linux. Its
/// kernel is our own driver bus.
class fake_guest {
    using request = rpmsg::platform::vhost_user::request;
    using region = rpmsg::platform::vhost_user::memory_region;
    /// What cannot fail here: the fuzzer has no test framework.
    static void need(bool so)
    {
        if (!so)
            std::abort();
    }

public:
    static constexpr std::uint64_t guest_base = 0x4000;
    static constexpr std::uint64_t user_base = 0x7f00'0000;
    static constexpr std::size_t offset = 4096;  ///< Of the memory in its file.
    static constexpr std::size_t bytes = 64 * 1024;
    static constexpr std::size_t ring_distance = 8192;
    static constexpr std::uint16_t num = 4;

    std::uint64_t protocol = 0x28;  ///< Features of it that set_up() accepts: REPLY_ACK and BACKEND_REQ.

    fake_guest()
    {
        file_ = rpmsg::platform::file_descriptor{::memfd_create("guest", MFD_CLOEXEC)};
        need(::ftruncate(file_.get(), offset + bytes) == 0);
        auto* const at = ::mmap(nullptr, offset + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
        need(at != MAP_FAILED);
        mapped_ = {static_cast<std::byte*>(at), offset + bytes};
        for (auto& kick : kicks_)
            kick = *rpmsg::platform::make_eventfd();
    }
    fake_guest(const fake_guest&) = delete;
    fake_guest& operator=(const fake_guest&) = delete;
    ~fake_guest() { ::munmap(mapped_.data(), mapped_.size()); }

    /// The device's end of the socket, once.
    rpmsg::platform::file_descriptor connect() { return std::move(link_.second); }
    [[nodiscard]] rpmsg::platform::file_descriptor& socket() { return link_.first; }
    [[nodiscard]] rpmsg::platform::file_descriptor& file() { return file_; }
    [[nodiscard]] rpmsg::platform::file_descriptor& kick(std::size_t ring) { return kicks_[ring]; }
    /// The end of a call that is given away.
    [[nodiscard]] rpmsg::platform::file_descriptor& call(std::size_t ring) { return calls_[ring].second; }
    [[nodiscard]] std::span<std::byte> memory() const { return mapped_.subspan(offset); }

    /// Sends bytes as they are, with files beside them.
    void send_raw(std::span<const std::byte> what, const std::vector<int>& files = {}) const
    {
        static_cast<void>(send_with_files(link_.first, what, files, MSG_DONTWAIT));
    }
    template <typename Body>
    void send(request what, const Body& body, const std::vector<int>& files = {},
              std::uint32_t flags = 9) const
    {
        const rpmsg::platform::vhost_user::header head{static_cast<std::uint32_t>(what), flags, sizeof body};
        std::vector<std::byte> whole(sizeof head + sizeof body);
        std::memcpy(whole.data(), &head, sizeof head);
        std::memcpy(whole.data() + sizeof head, &body, sizeof body);
        send_raw(whole, files);
    }
    void send(request what, const std::vector<int>& files = {}, std::uint32_t flags = 9) const
    {
        const rpmsg::platform::vhost_user::header head{static_cast<std::uint32_t>(what), flags, 0};
        send_raw(std::as_bytes(std::span{&head, 1}), files);
    }

    /// The number that a reply carries, if one is there.
    [[nodiscard]] std::optional<std::uint64_t> reply() const
    {
        struct {
            rpmsg::platform::vhost_user::header head;
            std::array<std::byte, 8> number;
        } in{};
        if (::recv(link_.first.get(), &in, sizeof in, MSG_DONTWAIT) != sizeof in || in.head.flags != 5 ||
            in.head.size != 8)
            return {};
        std::uint64_t number = 0;
        std::memcpy(&number, in.number.data(), sizeof number);
        return number;
    }
    /// Whether the device has ended the connection.
    [[nodiscard]] bool was_cut_off() const
    {
        std::array<std::byte, 256> rest{};
        ssize_t got = 0;
        do
            got = ::recv(link_.first.get(), rest.data(), rest.size(), MSG_DONTWAIT);
        while (got > 0);
        return got == 0 || errno == ECONNRESET;
    }
    /// Calls for a ring that have come, as often as eight bytes.
    [[nodiscard]] std::size_t take_calls(std::size_t ring) const
    {
        std::array<std::uint64_t, 64> words{};
        const auto got = ::recv(calls_[ring].first.get(), words.data(), sizeof words, MSG_DONTWAIT);
        return got > 0 ? static_cast<std::size_t>(got) / 8 : 0;
    }

    [[nodiscard]] static region one_region() { return {guest_base, bytes, user_base, offset}; }

    /// What user-mode Linux asks for until its rings are there, in its order. `step` is called after each.
    template <typename Step>
    void set_up(Step step, std::uint64_t features = 0x1'4000'0001, bool rings_only = false)
    {
        if (!rings_only) {
            send(request::set_owner, {}, 1);
            step();
            send(request::get_features, {}, 1);
            step();
            static_cast<void>(reply());
            send(request::get_protocol_features, {}, 1);
            step();
            static_cast<void>(reply());
            send(request::set_protocol_features, protocol);
            step();
            send(request::set_backend_req_fd, {call(0).get()});
            step();
        }
        send(request::set_features, features);
        step();
        share();
        step();
        for (std::uint32_t ring = 0; ring < 2; ++ring) {
            send(request::set_vring_call, std::uint64_t{ring}, {call(ring).get()});
            step();
            send(request::set_vring_num, state(ring, num));
            step();
            send(request::set_vring_base, state(ring, 0));
            step();
            send(request::set_vring_addr, addresses(ring));
            step();
        }
        for (std::uint32_t ring = 0; ring < 2; ++ring) {
            send(request::set_vring_kick, std::uint64_t{ring}, {kick(ring).get()});
            step();
            send(request::set_vring_enable, state(ring, 1));
            step();
        }
    }
    /// Takes the rings down, as unbind does.
    template <typename Step>
    void take_down(Step step)
    {
        for (const std::uint32_t ring : {1U, 0U}) {
            send(request::set_vring_enable, state(ring, 0));
            step();
        }
    }
    void share() const
    {
        const struct {
            std::uint32_t count;
            std::uint32_t padding;
            std::array<region, 2> regions;
        } table{1, 0, {one_region(), region{}}};
        send(request::set_mem_table, table, {file_.get()});
    }
    [[nodiscard]] static rpmsg::platform::vhost_user::vring_state state(std::uint32_t ring,
                                                                        std::uint32_t number)
    {
        return {ring, number};
    }
    [[nodiscard]] static rpmsg::platform::vhost_user::vring_addresses addresses(std::uint32_t ring)
    {
        const auto at = user_base + ring * ring_distance;
        const auto parts = rpmsg::vring::layout_of(num, 4096);
        return {ring, 0, at, at + parts.used, at + parts.avail, ~std::uint64_t{}};
    }

    // Its kernel

    struct doorbell : rpmsg::policy::doorbell_defaults {
        void ring(rpmsg::policy::vring_id which) noexcept
        {
            if (of != nullptr)
                rpmsg::platform::eventfd_doorbell{of->kicks_[static_cast<std::size_t>(which)]}.ring();
        }
        fake_guest* of = nullptr;
    };
    struct board : rpmsg::policy::board_defaults {
        using doorbell = fake_guest::doorbell;
        using address_map = rpmsg::policy::offset;
        using ring = rpmsg::policy::ring_up_to<num>;
        static constexpr std::size_t remembered_announcements = 4;
    };
    struct event_board : board {
        using dialect = rpmsg::policy::with_event_idx<rpmsg::policy::linux_kernel>;
    };
    template <typename Board = board>
    using kernel = rpmsg::driver_bus<Board, rpmsg::virtio::fixed_rings<rpmsg::virtio::role::driver>>;

    /// Makes the rings and rings for the first, as a kernel that has set all up.
    template <typename Board = board>
    [[nodiscard]] kernel<Board> boot()
    {
        places_ = rpmsg::virtio::rpmsg_lite_places(guest_base, num, 4096, ring_distance);
        places_.features = Board::dialect::features;
        rpmsg::policy::set<Board> models{};
        models.doorbell.of = this;
        models.address_map = rpmsg::policy::offset{memory(), guest_base};
        return kernel<Board>{rpmsg::virtio::fixed_rings<rpmsg::virtio::role::driver>{places_},
                             {.to_driver = memory().subspan(2 * ring_distance + 8192)},
                             models};
    }

private:
    stream_pair link_;
    rpmsg::platform::file_descriptor file_;
    std::span<std::byte> mapped_;
    std::array<rpmsg::platform::file_descriptor, 2> kicks_;
    std::array<stream_pair, 2> calls_;
    rpmsg::virtio::ring_places places_;
};

}  // namespace platform_test
