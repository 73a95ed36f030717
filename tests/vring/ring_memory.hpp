#pragma once

#include <rpmsg/policy/dialect.hpp>
#include <rpmsg/vring/layout.hpp>
#include <rpmsg/wire/vring.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

/// Numbers of descriptors, or of entries, to go through one by one.
using heads = std::initializer_list<std::uint16_t>;

/// A vring in memory of exactly its size, so that a sanitizer sees each step outside, and the hand of the
/// other side in it: it writes what it is told, and nothing is checked.
///
/// @tparam N  Descriptors.
template <std::uint16_t N, rpmsg::policy::ring_alignment Rule = rpmsg::policy::ring_alignment::virtio>
struct ring_memory {
    static constexpr std::uint16_t count = N;
    static constexpr auto at = rpmsg::vring::layout_of(N, 4, Rule);

    std::vector<std::byte> bytes = std::vector<std::byte>(at.size);
    rpmsg::vring::split parts{bytes.data(), at};

    ring_memory() = default;
    ring_memory(const ring_memory&) = delete;
    ring_memory& operator=(const ring_memory&) = delete;

    rpmsg::wire::descriptor& descriptor(std::uint16_t id) { return parts.descriptor_at(id); }
    rpmsg::wire::avail& avail() { return parts.avail(); }
    rpmsg::wire::used& used() { return parts.used(); }
    rpmsg::wire::le16& avail_entry(std::uint16_t i)
    {
        return parts.avail_at(static_cast<std::uint16_t>(i & (N - 1U)));
    }
    rpmsg::wire::used_element& used_entry(std::uint16_t i)
    {
        return parts.used_at(static_cast<std::uint16_t>(i & (N - 1U)));
    }
    rpmsg::wire::le16& used_event() { return parts.used_event(N); }
    rpmsg::wire::le16& avail_event() { return parts.avail_event(N); }

    /// A driver's move: one more avail entry.
    void publish(std::uint16_t head)
    {
        const auto idx = avail().idx.get();
        avail_entry(idx) = head;
        avail().idx = static_cast<std::uint16_t>(idx + 1U);
    }
    /// A device's move: one more used element.
    void give_back(std::uint32_t id, std::uint32_t length)
    {
        const auto idx = used().idx.get();
        used_entry(idx) = {.id = id, .len = length};
        used().idx = static_cast<std::uint16_t>(idx + 1U);
    }
};
