#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rpmsg::policy {

/// Turns the addresses that both sides exchange into pointers of this side, and back.
///
/// An address is what the driver writes into a descriptor or the resource table. It comes from shared
/// memory, so to_local() checks that all of [address, address + bytes) lies in memory that the board
/// shares: this check is all that stands between a peer and the rest of our memory.
///
/// A model of a host whose mappings come and go may also have `hold(epoch)` and `drop(epoch)`: called
/// once for each buffer handle that is made and destroyed, so that memory outlives its last handle.
///
/// @context Thread or ISR, as the bus. Never blocks; O(number of windows).
template <typename T>
concept address_map =
    requires(const T map, std::uint64_t address, std::size_t bytes, const std::byte* local) {
        {
            map.to_local(address, bytes)
        } noexcept -> std::same_as<std::byte*>;                          ///< nullptr: not ours to touch.
        { map.to_peer(local) } noexcept -> std::same_as<std::uint64_t>;  ///< @pre local is in the map
    };

/// A map whose memory has to be kept while handles of an epoch live.
template <typename T>
concept holding_address_map = address_map<T> && requires(T map, std::uint32_t epoch) {
    { map.hold(epoch) } noexcept;
    { map.drop(epoch) } noexcept;
};

/// Both sides see one piece of memory at the same address.
///
/// @tparam First  Its first address.
/// @tparam Bytes  Its size; First + Bytes - 1 is the last address.
template <std::uint32_t First, std::uint32_t Bytes>
struct identity {
    static_assert(Bytes != 0 && Bytes - 1 <= 0xFFFF'FFFFU - First, "the window ends above 4 GiB");

    [[nodiscard]] std::byte* to_local(std::uint64_t address, std::size_t bytes) const noexcept
    {
        const auto low = static_cast<std::uint32_t>(address);
        const std::uint32_t offset = low - First;
        if ((address >> 32U) != 0 || offset > Bytes || bytes > Bytes - offset)
            return nullptr;
        return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(low));
    }
    [[nodiscard]] std::uint64_t to_peer(const std::byte* local) const noexcept
    {
        return reinterpret_cast<std::uintptr_t>(local);
    }
};
static_assert(address_map<identity<0x2000'0000, 0x8000>>);

/// One piece of memory that the two sides see at different addresses.
class offset {
public:
    /// A map of nothing: every address is refused.
    constexpr offset() noexcept = default;
    /// @param local  The memory as this side sees it.
    /// @param peer   The address that descriptors and the resource table use for its first byte.
    constexpr offset(std::span<std::byte> local, std::uint64_t peer) noexcept : local_{local}, peer_{peer} {}

    [[nodiscard]] constexpr std::byte* to_local(std::uint64_t address, std::size_t bytes) const noexcept
    {
        const std::uint64_t at = address - peer_;
        if (at > local_.size() || bytes > local_.size() - at)
            return nullptr;
        return local_.data() + at;
    }
    [[nodiscard]] constexpr std::uint64_t to_peer(const std::byte* local) const noexcept
    {
        return peer_ + static_cast<std::uint64_t>(local - local_.data());
    }
    /// Whether a pointer of this side lies in this piece.
    [[nodiscard]] constexpr bool holds(const std::byte* local) const noexcept
    {
        return local >= local_.data() && local < local_.data() + local_.size();
    }

private:
    std::span<std::byte> local_;
    std::uint64_t peer_ = 0;
};
static_assert(address_map<offset>);

/// Several pieces: tightly coupled memory with an alias, a carveout for the rings and one for buffers.
///
/// @tparam N  Pieces at most; unused ones map nothing.
template <std::size_t N>
class windows {
public:
    constexpr windows() noexcept = default;
    template <typename... Pieces>
        requires(sizeof...(Pieces) <= N && (std::same_as<Pieces, offset> && ...))
    explicit constexpr windows(Pieces... pieces) noexcept : pieces_{pieces...}
    {}

    [[nodiscard]] constexpr std::byte* to_local(std::uint64_t address, std::size_t bytes) const noexcept
    {
        for (const auto& piece : pieces_)
            if (auto* const found = piece.to_local(address, bytes))
                return found;
        return nullptr;
    }
    [[nodiscard]] constexpr std::uint64_t to_peer(const std::byte* local) const noexcept
    {
        for (const auto& piece : pieces_)
            if (piece.holds(local))
                return piece.to_peer(local);
        return 0;
    }

private:
    std::array<offset, N> pieces_{};
};
static_assert(address_map<windows<2>>);

}  // namespace rpmsg::policy
