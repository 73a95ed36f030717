#pragma once

#include <rpmsg/policy/address_map.hpp>
#include <rpmsg/testing/journal.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace rpmsg::testing {

/// Answers what another map answers and writes it down.
///
/// @tparam Base  Does the work.
template <policy::address_map Base>
class basic_recording_address_map : public recorder {
public:
    basic_recording_address_map() = default;
    explicit basic_recording_address_map(Base base) : base_{std::move(base)} {}
    basic_recording_address_map(journal& log, Base base) : recorder{log}, base_{std::move(base)} {}

    [[nodiscard]] std::byte* to_local(std::uint64_t address, std::size_t bytes) const noexcept
    {
        auto* const local = base_.to_local(address, bytes);
        write(event::to_local, local, address, bytes);
        return local;
    }
    [[nodiscard]] std::uint64_t to_peer(const std::byte* local) const noexcept
    {
        const auto address = base_.to_peer(local);
        write(event::to_peer, local, address);
        return address;
    }

private:
    Base base_{};
};

using recording_address_map = basic_recording_address_map<policy::offset>;
static_assert(policy::address_map<recording_address_map> &&
              !policy::holding_address_map<recording_address_map>);

/// A map whose memory is kept while handles live. A test compares how often it was held and dropped.
class recording_holding_address_map : public recording_address_map {
public:
    using recording_address_map::recording_address_map;

    void hold(std::uint32_t epoch) noexcept { write(event::hold, nullptr, epoch); }
    void drop(std::uint32_t epoch) noexcept { write(event::drop, nullptr, epoch); }
};
static_assert(policy::holding_address_map<recording_holding_address_map>);

}  // namespace rpmsg::testing
