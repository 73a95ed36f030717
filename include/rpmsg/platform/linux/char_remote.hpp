#pragma once

#include <rpmsg/name_service/address.hpp>
#include <rpmsg/platform/linux/char_control.hpp>
#include <rpmsg/platform/linux/char_entries.hpp>
#include <rpmsg/platform/linux/char_file.hpp>
#include <rpmsg/platform/linux/char_ioctl.hpp>
#include <rpmsg/platform/linux/char_place.hpp>
#include <rpmsg/platform/linux/char_seat.hpp>
#include <rpmsg/result.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

namespace rpmsg::platform {

/// Gives endpoints their nodes: those that are there, and those that the control device makes.
///
/// @context One thread at a time.
class char_remote : private char_control {
public:
    using change = char_control::change;
    using char_control::char_control;
    using char_control::is_there;
    using char_control::look;

    /// Finds or makes the node that an endpoint was opened for, and opens it.
    ///
    /// @return errc{}; errc::not_bound: the peer has no such channel yet; errc::not_ready: udev has not made the
    ///         node yet; errc::address_in_use; errc::link_down; errc::system.
    errc attach(char_seat& seat) noexcept
    {
        if (!is_there())
            return errc::link_down;
        if (!seat.label.empty())
            return open_made(seat);
        if (seat.service.empty())
            return make(seat, "", seat.local, seat.peer);
        const std::string_view service{seat.service.c_str()};
        if (service.starts_with("/dev/"))
            return open_found(seat, [&](const char_entry& e) { return e.entry.view() == service.substr(5); });
        if (!seat.local.is_any())
            return announce(seat, service);
        const auto why =
            open_found(seat, [&](const char_entry& e) { return e.name.view() == service && is_on_bus(e); });
        return why == errc::not_bound ? follow(seat, service) : why;
    }

    /// Gives the node back: destroys what was made for us.
    ///
    /// @return Whether nothing of it is left behind.
    bool detach(char_seat& seat) noexcept
    {
        const auto from = std::exchange(seat.from, char_seat::origin::none);
        const auto source = std::exchange(seat.source, any_address);
        const auto destination = std::exchange(seat.destination, any_address);
        seat.watched = {};
        seat.wants_room = seat.has_gone = false;
        if (seat.file && from == char_seat::origin::made) {
            seat.file.destroy();
            seat.label = {};
        } else if (from == char_seat::origin::channel) {
            seat.file.close();  // before its channel, which would else wait for it
            release(seat.service.c_str(), source, destination);
        }
        seat.file.close();
        return seat.label.empty();
    }

    /// Whether the channel is still there that a node leads to.
    [[nodiscard]] bool still_there(const char_seat& seat) const noexcept
    {
        if (seat.watched.empty())
            return true;
        const auto folder = char_folder::open(place_.root, char_folder::channels);
        struct ::stat about{};
        return folder && ::fstatat(folder->get(), seat.watched.c_str(), &about, 0) == 0;
    }
    /// The peer's channel of this name, where no driver but the one for nodes has it.
    bool find_channel(std::string_view service, address not_from, char_entry& out) const noexcept
    {
        const auto is_peers = [&](const char_entry& e) {
            return e.name.view() == service && is_on_bus(e) && !e.destination.is_any() &&
                   (not_from.is_any() || e.source != not_from) &&
                   (e.driver.empty() || e.driver.view() == "rpmsg_chrdev");
        };
        return find(char_folder::channels, is_peers, out);
    }

private:
    /// Has a node made. Only we know its label, so nobody else takes it, and we take nobody else's.
    errc make(char_seat& seat, std::string_view service, address local, address peer) noexcept
    {
        std::array<char, 32> label{};
        std::snprintf(label.data(), label.size(), "%.18s@%012llx", short_text<19>{service}.c_str(),
                      unique(&seat) & 0xFFFF'FFFF'FFFFULL);
        if (const auto why = request(char_ioctl::create_endpoint, {label.data(), local, peer}); why != errc{})
            return why;
        // One that is being taken down may still have made a node, and nobody will remove it: its device is freed memory.
        if (identity(control_) != id_)
            return errc::link_down;
        seat.label = short_text<32>{label.data()};
        return open_made(seat);
    }
    /// A number that no other program and no other endpoint has. Early at boot there may be no randomness yet: then
    /// which process, which endpoint and when have to do.
    static unsigned long long unique(const void* what) noexcept
    {
        ::timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        unsigned long long random = 0;
        static_cast<void>(::getrandom(&random, sizeof random, GRND_NONBLOCK));
        random ^= static_cast<unsigned long long>(::getpid()) << 24U;
        random ^= static_cast<unsigned long long>(now.tv_nsec) << 17U;
        return random ^ reinterpret_cast<std::uintptr_t>(what);
    }
    errc open_made(char_seat& seat) noexcept
    {
        const auto label = seat.label;
        const auto why = open_found(seat, [&](const char_entry& e) { return e.name.view() == label.view(); });
        if (why == errc{})
            seat.from = char_seat::origin::made;
        else if (why == errc::not_bound)  // it went with its link
            seat.label = {};
        return why == errc::not_bound ? errc::link_down : why;
    }

    /// Opens the first node of some that nobody else has open.
    template <typename Wanted>
    errc open_found(char_seat& seat, Wanted wanted) noexcept
    {
        auto why = errc::not_bound;
        char_entry one;
        char_entries all{place_.root, char_folder::class_of};
        while (all.next(one)) {
            if (one.node() < 0 || !wanted(one))
                continue;
            auto opened = char_file::open(place_.root, one.node());
            if (!opened) {
                why = opened.error();
                continue;
            }
            // Its number may have become another's between the two looks.
            char_entry now;
            const bool same = find(
                char_folder::class_of,
                [&](const char_entry& e) {
                    return e.entry.view() == one.entry.view() && e.name.view() == one.name.view() &&
                           e.path.view() == one.path.view();
                },
                now);
            if (!same)
                continue;
            seat.file = *std::move(opened);
            seat.from = char_seat::origin::found;
            seat.source = one.source;
            seat.destination = one.destination;
            return errc{};
        }
        return why;
    }

    /// The peer announced a channel that no driver knows: it has an address, and no node.
    errc follow(char_seat& seat, std::string_view service) noexcept
    {
        char_entry channel;
        if (!find_channel(service, any_address, channel) || !channel.driver.empty())
            return errc::not_bound;
        const auto why = make(seat, service, any_address, channel.destination);
        seat.watched = channel.entry;
        return why;
    }

    /// Has a channel of ours made, which Linux announces; towards the peer's of the same name, if there is one.
    errc announce(char_seat& seat, std::string_view service) noexcept
    {
        char_entry peers;
        const bool is_answered = find_channel(service, seat.local, peers);
        const auto to = is_answered ? peers.destination : any_address;
        const auto is_ours = [&](const char_entry& e) {
            return e.name.view() == service && e.source == seat.local && is_on_bus(e);
        };
        char_entry ours;
        // One that is there was left behind by a program that was killed, unless somebody has it open.
        bool found = find(char_folder::channels, is_ours, ours);
        const auto its_node = [&](const char_entry& e) { return e.is_on(ours.entry.view()); };
        if (found && ours.destination != to) {  // and leads to where the peer is no more
            if (open_found(seat, its_node) == errc::address_in_use)
                return errc::address_in_use;
            seat.file.close();
            release(service, seat.local, ours.destination);
            found = false;
        }
        if (!found) {
            if (const auto why = request(char_ioctl::create_channel, {service, seat.local, to});
                why != errc{})
                return errno == ENXIO ? errc::address_in_use : why;
            if (!find(char_folder::channels, is_ours, ours))
                return errc::link_down;
        }
        if (ours.driver.empty() && !bind_driver(ours)) {
            const int before = errno;
            release(service, seat.local, to);
            errno = before;
            return before == ENODEV || before == ENOMEM ? errc::address_in_use : errc::system;
        }
        const auto why = open_found(seat, its_node);
        if (why == errc::not_bound)
            return errc::not_ready;
        if (why == errc{}) {
            seat.from = char_seat::origin::channel;
            seat.source = seat.local;
            seat.destination = to;
            if (is_answered)
                seat.watched = peers.entry;
        }
        return why;
    }
    void release(std::string_view service, address source, address destination) const noexcept
    {
        static_cast<void>(request(char_ioctl::release_channel, {service, source, destination}));
    }
    /// A channel is announced, and has a node, when it has a driver; of itself only that of "rpmsg-raw" does.
    [[nodiscard]] bool bind_driver(const char_entry& channel) const noexcept
    {
        std::array<char, 128> file{};
        std::snprintf(file.data(), file.size(), "%s/driver_override", channel.entry.c_str());
        return put(char_folder::channels, file.data(), "rpmsg_chrdev") &&
               put(char_folder::driver, "bind", channel.entry.view());
    }
};

}  // namespace rpmsg::platform
