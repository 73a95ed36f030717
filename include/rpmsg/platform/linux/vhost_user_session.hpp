#pragma once

#include <rpmsg/platform/linux/eventfd.hpp>
#include <rpmsg/platform/linux/file_descriptor.hpp>
#include <rpmsg/platform/linux/guest_memory.hpp>
#include <rpmsg/platform/linux/guest_regions.hpp>
#include <rpmsg/platform/linux/link_files.hpp>
#include <rpmsg/platform/linux/received_files.hpp>
#include <rpmsg/platform/linux/vhost_user_message.hpp>
#include <rpmsg/platform/linux/vhost_user_rings.hpp>
#include <rpmsg/platform/linux/vhost_user_socket.hpp>
#include <rpmsg/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include <sys/stat.h>

namespace rpmsg::platform {

/// What a device offers to a guest.
struct vhost_user_offer {
    bool version_1 = true;  ///< False: a legacy device. The rings are the same.
    bool reply_ack = true;  ///< Each request is acknowledged. Without, doorbells may overtake requests.
    bool inband = false;    ///< Doorbells are messages on the sockets, each of which the guest waits for.
};

namespace vhost_user {

/// One guest's side of the protocol: what was agreed on, and what each request does to the rings.
///
/// Nothing that a guest sends is believed. A request that makes no sense is answered with an error, if the guest
/// wants answers; else, and when the guest does not even keep to the form, the connection ends.
///
/// @context The thread that serves the socket.
class session {
public:
    /// @param features  Of virtio, bits 0 to 31: those of the board's dialect.
    session(const vhost_user_offer& offer, std::uint32_t features, guest_memory& memory,
            rings& shared) noexcept
        : offered_{features | bit::protocol_features | (offer.version_1 ? bit::version_1 : 0)},
          offered_protocol_{bit::backend_req | (offer.reply_ack ? bit::reply_ack : 0) |
                            (offer.inband ? bit::inband_notifications : 0)},
          memory_{memory},
          rings_{shared}
    {}

    /// Does what a request asks for, and answers.
    ///
    /// @param socket  Where it came from, with its files.
    /// @return errc: the request was refused. The connection goes on if was_answered(), and has to end otherwise.
    errc handle(peer_socket& socket, const result<message>& in) noexcept
    {
        const auto head = socket.head();
        answered_ = false;
        if (in) {
            if (const auto why = answer_question(socket, *in); why != errc::empty)
                return why;
        }
        const auto why = in ? parting([&]() noexcept { return obey(*in, socket.files()); }) : in.error();
        const bool wants_answer = (head.flags & flag::need_reply) != 0;
        if (wants_answer && (protocol_ & bit::reply_ack) != 0) {
            const std::uint64_t refused = why == errc{} ? 0 : 1;
            answered_ = reply(socket, head.request, &refused, sizeof refused) == errc{};
            if (!answered_)
                return errc::system;
        }
        return why;
    }
    [[nodiscard]] bool was_answered() const noexcept { return answered_; }

private:
    /// Does what may take the rings down. When the guest has its answer it may use their memory for something else.
    template <typename Change>
    std::invoke_result_t<Change> parting(Change change) noexcept
    {
        const bool were_up = rings_.epoch() != 0;
        const auto result = change();
        if (were_up && rings_.epoch() == 0)
            memory_.part();
        return result;
    }

    static errc reply(const peer_socket& socket, std::uint32_t number, const void* body,
                      std::size_t bytes) noexcept
    {
        return send_message(socket.file(), number, flag::reply, {static_cast<const std::byte*>(body), bytes})
            .error();
    }

    /// @return errc::empty when it was no question; errc{} when it was answered.
    errc answer_question(peer_socket& socket, const message& in) noexcept
    {
        std::uint64_t number = 0;
        switch (in.what) {
        case request::get_features: number = offered_; break;
        case request::get_protocol_features: number = offered_protocol_; break;
        case request::get_queue_num: number = rings::count; break;
        case request::get_vring_base: {
            auto state = in.as<vring_state>();
            if (state.index >= rings::count)
                return errc::malformed;
            state.number = parting([&]() noexcept { return rings_.stop(state.index, memory_); });
            return reply(socket, socket.head().request, &state, sizeof state);
        }
        default: return errc::empty;
        }
        return reply(socket, socket.head().request, &number, sizeof number);
    }

    errc obey(const message& in, received_files<most_regions>& files) noexcept
    {
        switch (in.what) {
        case request::set_owner: return errc{};
        case request::reset_owner: rings_.forget(); return errc{};
        case request::set_features: return accept(in.as<std::uint64_t>());
        case request::set_protocol_features: return accept_protocol(in.as<std::uint64_t>());
        case request::set_backend_req_fd:
            if ((protocol_ & bit::backend_req) == 0)
                return errc::protocol;
            return take_backend_socket(files[0]);
        case request::set_mem_table: return share(in, files);
        case request::set_vring_num:
        case request::set_vring_base:
        case request::set_vring_enable:
        case request::vring_kick: return set(in.what, in.as<vring_state>());
        case request::set_vring_addr: return place(in.as<vring_addresses>());
        case request::set_vring_kick:
        case request::set_vring_call:
        case request::set_vring_err: return bell(in.what, in.as<std::uint64_t>(), in.files, files);
        default: return errc::unsupported;
        }
    }

    errc accept(std::uint64_t features) noexcept
    {
        if ((features & ~offered_) != 0)
            return errc::protocol;
        rings_.forget();
        rings_.agree_on(static_cast<std::uint32_t>(features & ~bit::protocol_features));
        if ((features & bit::protocol_features) == 0)
            rings_.enable_all();
        return errc{};
    }
    errc accept_protocol(std::uint64_t features) noexcept
    {
        if ((features & ~offered_protocol_) != 0)
            return errc::protocol;
        const bool inband = (features & bit::inband_notifications) != 0;
        if (inband && (features & bit::backend_req) == 0)
            return errc::protocol;  // calls have nowhere to go
        protocol_ = features;
        rings_.ring_inband(inband);
        return errc{};
    }
    errc take_backend_socket(file_descriptor& file) noexcept
    {
        if (!is_socket(file))
            return errc::unsupported;
        rings_.call_over(std::move(file));
        return errc{};
    }
    static bool is_socket(const file_descriptor& file) noexcept
    {
        struct ::stat about{};
        return ::fstat(file.get(), &about) == 0 && S_ISSOCK(about.st_mode);
    }

    /// New memory: the rings are somewhere else, or nowhere.
    errc share(const message& in, received_files<most_regions>& files) noexcept
    {
        const auto table = memory_table::read(in);
        if (!table)
            return table.error();
        std::unique_ptr<guest_regions> mapped{new (std::nothrow) guest_regions};
        if (mapped == nullptr)
            return errc::out_of_memory;
        if (const auto done = mapped->map(*table, files); !done)
            return done.error();
        rings_.forget();
        return memory_.offer(std::move(mapped));
    }

    errc set(request what, const vring_state& state) noexcept
    {
        if (state.index >= rings::count)
            return errc::malformed;
        if (what == request::set_vring_num)
            return rings_.size(state.index, state.number);
        // A device that goes on where another one stopped would need to know what that one held.
        if (what == request::set_vring_base)
            return state.number == 0 ? errc{} : errc::stale;
        if (what == request::set_vring_enable) {
            if (state.number > 1)
                return errc::malformed;
            rings_.enable(state.index, state.number == 1);
            return errc{};
        }
        if ((protocol_ & bit::inband_notifications) == 0)
            return errc::protocol;
        rings_.kicked(state.index);
        return errc{};
    }

    errc place(const vring_addresses& at) noexcept
    {
        if (at.index >= rings::count)
            return errc::malformed;
        const auto* const memory = memory_.offered();
        if (memory == nullptr)
            return errc::protocol;  // there is no memory to have them in
        const auto start = memory->guest_address_of(at.descriptors);
        if (!start)
            return start.error();
        return rings_.place(at.index, *start, at.avail - at.descriptors, at.used - at.descriptors);
    }

    errc bell(request what, std::uint64_t number, std::uint32_t came,
              received_files<most_regions>& files) noexcept
    {
        const auto index = static_cast<std::uint32_t>(number & vring_fd::index_mask);
        const bool has_none = (number & vring_fd::none) != 0;
        if (index >= rings::count || (number & ~(vring_fd::index_mask | vring_fd::none)) != 0 ||
            has_none != (came == 0))
            return errc::malformed;
        if (what == request::set_vring_err)
            return errc{};  // nothing is ever told there
        if (what == request::set_vring_call) {
            if (has_none)
                return rings_.call_by(index, {}, false);
            const bool is_stream = is_socket(files[0]);
            if (!is_stream)
                if (const auto checked = check_eventfd(files[0]); !checked)
                    return checked.error();
            return rings_.call_by(index, std::move(files[0]), is_stream);
        }
        if (has_none)
            return errc::unsupported;  // the guest never rings: rings that have to be watched
        if (const auto checked = check_is_eventfd(files[0]); !checked)
            return checked.error();
        return rings_.kick_by(index, std::move(files[0]));
    }

    std::uint64_t offered_;
    std::uint64_t offered_protocol_;
    guest_memory& memory_;
    rings& rings_;
    std::uint64_t protocol_ = 0;
    bool answered_ = false;
};

}  // namespace vhost_user

}  // namespace rpmsg::platform
