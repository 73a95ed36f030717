#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace rpmsg {

/// What was refused, dropped or repaired. Each is counted; what poll() meets is told to `on_error` as well.
enum class fault : std::uint8_t {
    none,                 ///< Nothing: never counted.
    bad_descriptor,       ///< An avail entry that names no descriptor: skipped.
    bad_buffer,           ///< A message's buffer outside the map, or too small for a header: given back.
    bad_length,           ///< A header that claims more than its buffer holds: dropped.
    unknown_destination,  ///< Nobody here has that address: dropped.
    bad_announcement,     ///< Not 40 bytes, or of nobody: dropped.
    wrong_size,           ///< Not the size (or alignment) of the endpoint's type: dropped.
    reply_dropped,        ///< A receiver's result did not fit, or the link went meanwhile.
    withdrawal_dropped,   ///< An endpoint was destroyed while too many withdrawals waited already.
    ring_broken,          ///< What cannot be repaired: the link was given up and starts over.
    layout_refused,       ///< The peer's rings are not what the board can use: bus::refusal() says why.
};

/// Number of faults above, without none.
inline constexpr auto fault_count = static_cast<std::size_t>(fault::layout_refused);

/// How often each fault happened since the bus was constructed; 32 bits, wrapping.
class statistics {
public:
    /// @pre cause is not fault::none
    [[nodiscard]] constexpr std::uint32_t operator[](fault cause) const noexcept
    {
        return counts_[static_cast<std::size_t>(cause) - 1];
    }
    constexpr void count(fault cause) noexcept { ++counts_[static_cast<std::size_t>(cause) - 1]; }

    /// All of them together.
    [[nodiscard]] constexpr std::uint32_t total() const noexcept
    {
        std::uint32_t sum = 0;
        for (const auto n : counts_)
            sum += n;
        return sum;
    }

private:
    std::array<std::uint32_t, fault_count> counts_{};
};

}  // namespace rpmsg
