#pragma once

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// A link for a hostile peer to write to, and what must hold afterwards.
namespace bus_test {

using namespace rpmsg;
using namespace rpmsg::testing;

struct board_of_4 : loopback_board {
    using ring = policy::ring_of<4>;
};

constexpr virtio::role other(virtio::role role)
{
    return role == virtio::role::driver ? virtio::role::device : virtio::role::driver;
}

/// A link that is up with an endpoint on each end, and the words of it that the peer of `here` writes.
template <typename Role, typename Board = board_of_4>
struct victim {
    static constexpr bool is_driver = Role::role == virtio::role::driver;
    static constexpr auto rx_id = tx_ring(other(Role::role));
    static constexpr auto tx_id = tx_ring(Role::role);
    static constexpr std::uint16_t count = Board::ring::capacity;
    using own_bus = std::remove_cvref_t<decltype(Role::here(std::declval<loopback<Board>&>()))>;
    using peer_bus = std::remove_cvref_t<decltype(Role::there(std::declval<loopback<Board>&>()))>;
    using receiver = std::function<void(message)>;

    victim()
    {
        CHECK(mine.open(address{1}, towards{2}));
        CHECK(theirs.open(address{2}, towards{1}));
        CHECK(errors.open());
        CHECK(link.run());
        CHECK(here().state() == link_state::up);
    }

    own_bus& here() { return Role::here(link); }
    peer_bus& there() { return Role::there(link); }
    vring::split rx() { return link.ring(rx_id); }
    vring::split tx() { return link.ring(tx_id); }

    /// The peer sends; the message lies in the ring.
    void peer_sends(std::string_view text) { CHECK(theirs.try_send(bytes(text))); }

    /// The slot that the peer filled last in a ring, and the index that published it.
    std::uint16_t slot(vring::split ring)
    {
        const auto idx = is_driver ? ring.used().idx.get() : ring.avail().idx.get();
        return static_cast<std::uint16_t>((idx - 1U) % count);
    }
    wire::le16& index(vring::split ring) { return is_driver ? ring.used().idx : ring.avail().idx; }
    /// The descriptor of the message that the peer published `back` messages before the last.
    std::uint16_t head(unsigned back = 0)
    {
        const auto at = static_cast<std::uint16_t>((slot(rx()) + count - back) % count);
        return is_driver ? static_cast<std::uint16_t>(rx().used_at(at).id.get()) : rx().avail_at(at).get();
    }
    std::span<std::byte> memory(unsigned back = 0) { return link.buffer(rx_id, head(back)); }
    wire::header& header() { return *reinterpret_cast<wire::header*>(memory().data()); }

    /// Each end sends until it has no buffer left: as many as there are descriptors, and all arrive. Twice around.
    void has_all_buffers()
    {
        for (int lap = 0; lap != 3; ++lap) {
            heard.clear();
            peer_heard.clear();
            int sent = 0;
            int peer_sent = 0;
            while (sent <= count && mine.try_send(bytes("out")))
                ++sent;
            while (peer_sent <= count && theirs.try_send(bytes("in")))
                ++peer_sent;
            CHECK(sent == count);
            CHECK(peer_sent == count);
            CHECK(link.run());
            CHECK(heard == std::vector<std::string>(count, "in"));
            CHECK(peer_heard == std::vector<std::string>(count, "out"));
        }
    }
    /// Nothing was harmed: the link never went, and `n` faults of one kind are all that was counted.
    void goes_on(fault cause, std::uint32_t n)
    {
        CHECK(link.run());
        CHECK(here().state() == link_state::up);
        CHECK(here().epoch() == 0);
        if (n != 0)
            CHECK(here().stats()[cause] == n);
        CHECK(here().stats().total() == n);
        CHECK(told == std::vector(n, cause));
        has_all_buffers();
    }
    /// The link was given up, once, and came back by itself with all buffers.
    void comes_back()
    {
        here().poll();
        here().poll();
        CHECK(here().stats()[fault::ring_broken] == 1);
        CHECK(link.run());
        CHECK(here().stats()[fault::ring_broken] == 1);
        CHECK(here().state() == link_state::up);
        CHECK(there().state() == link_state::up);
        CHECK(here().epoch() == 1);
        has_all_buffers();
    }
    /// Once the driver has begun anew, as a peer that wrote nonsense must, everything is there.
    void comes_back_after_reset()
    {
        link.driver().stop();
        link.driver().start();
        CHECK(link.run());
        CHECK(here().state() == link_state::up);
        has_all_buffers();
    }

    loopback<Board> link{{.align = 64}};
    std::vector<std::string> heard;
    std::vector<std::string> peer_heard;
    std::vector<fault> told;
    endpoint<typename own_bus::basic, void, receiver> mine{here(), receiver{[this](message m) {
                                                               CHECK(link.holds(m.payload().data()));
                                                               heard.push_back(text(m.payload()));
                                                           }}};
    endpoint<typename peer_bus::basic, void, receiver> theirs{
        there(), receiver{[this](message m) { peer_heard.push_back(text(m.payload())); }}};
    observer<typename own_bus::basic, on_error<std::function<void(fault)>>> errors{
        here(), {std::function<void(fault)>{[this](fault f) { told.push_back(f); }}}};
};

}  // namespace bus_test
