#pragma once

#include <rpmsg/bus/endpoint_node.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/name.hpp>
#include <rpmsg/platform/linux/char_entries.hpp>
#include <rpmsg/platform/linux/char_file.hpp>

#include <cstdint>

namespace rpmsg::platform {

/// What a char_bus knows of one endpoint: what was asked for, and the node that it got.
struct char_seat {
    /// Where its node comes from, and so what happens to it at the end.
    enum class origin : std::uint8_t {
        none,     ///< There is no node.
        found,    ///< It was there; it stays.
        made,     ///< Made for us by the control device; destroyed.
        channel,  ///< Of a channel made for us, and announced; the channel is released.
    };

    endpoint_node* owner = nullptr;  ///< nullptr: closed; only something of it is still to be removed.
    char_seat* next = nullptr;

    name service;   ///< As opened.
    address local;  ///< As opened.
    address peer;   ///< As opened.

    char_file file;
    origin from = origin::none;
    address source;          ///< Ours; any if the kernel chose it.
    address destination;     ///< The peer's; any: nothing can be sent.
    short_text<32> label;    ///< Of a node that was made: no other has it.
    short_text<96> watched;  ///< The peer's channel that it leads to, if that has no node of its own.

    bool told_bound = false;  ///< on_bound ran, and on_unbound did not yet.
    bool has_gone = false;    ///< Its node is of no use any more.
    bool closing = false;     ///< Closes when its receiver returns.
    bool wants_room = false;  ///< Waits for room to send.
    bool has_reply = false;   ///< A receiver's result waits; until it is sent nothing is read.
    std::uint16_t reply = 0;  ///< In this buffer.
    std::uint16_t reply_length = 0;

    [[nodiscard]] bool is_attached() const noexcept { return static_cast<bool>(file) && !has_gone; }
    [[nodiscard]] bool is_bound() const noexcept { return is_attached() && !destination.is_any(); }
};

}  // namespace rpmsg::platform
