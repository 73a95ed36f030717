#pragma once

#include <rpmsg/bus/event.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/name.hpp>

namespace rpmsg {

/// What a bus knows of an endpoint or observer, whatever its receiver: an element of its lists.
///
/// endpoint and observer derive from it in private, so only they and the bus see these members.
struct endpoint_node {
    /// How a node is told: one function for all events.
    using teller = void (*)(endpoint_node&, event_kind, event_word) noexcept;

    explicit constexpr endpoint_node(teller t, bool with_result = false, bool follows = false) noexcept
        : tell{t},
          replies{with_result},
          follows_sender{follows}
    {}
    endpoint_node(const endpoint_node&) = delete;
    endpoint_node& operator=(const endpoint_node&) = delete;

    endpoint_node* next_in_slot = nullptr;  ///< In the bucket of its address.
    endpoint_node* next_opened = nullptr;   ///< In order of opening.
    teller tell;
    address local;                ///< Ours; any while closed.
    address peer;                 ///< Whom it is bound to; any while unbound.
    name service;                 ///< What is announced, if anything.
    bool open = false;            ///< A byte of its own: a destructor looks at it without the exclusion.
    bool closing : 1 = false;     ///< Closes when its receiver returns.
    bool announced : 1 = false;   ///< In this epoch.
    bool fixed_peer : 1 = false;  ///< Opened towards an address: stays bound over epochs.
    bool greets : 1 = false;      ///< Owes its peer an empty message (dialect::greets_when_bound).
    // No bits of the same word: these two never change, and are read without the exclusion.
    const bool replies;         ///< Its receiver has a result: entered only with a tx buffer in hand.
    const bool follows_sender;  ///< Each sender becomes its peer.
};

/// Nodes in order of opening.
///
/// @context The caller holds the bus's exclusion.
class node_list {
public:
    [[nodiscard]] constexpr endpoint_node* first() const noexcept { return first_; }

    /// Puts a node at the end. O(number of nodes).
    constexpr void append(endpoint_node& node) noexcept
    {
        node.next_opened = nullptr;
        *link_to(nullptr) = &node;
    }

    /// Takes a node out; its next_opened stays as it is. O(number of nodes). @pre It is in the list.
    constexpr void remove(endpoint_node& node) noexcept { *link_to(&node) = node.next_opened; }

private:
    constexpr endpoint_node** link_to(const endpoint_node* node) noexcept
    {
        auto** at = &first_;
        while (*at != node)
            at = &(*at)->next_opened;
        return at;
    }

    endpoint_node* first_ = nullptr;
};

}  // namespace rpmsg
