#pragma once

#include <cstdint>
#include <vector>

/// Who has which descriptor, worked out from what the two rings remember.
///
/// A ring of N entries remembers the last N that were published. How far the other side has read is in nobody's
/// shared memory; but a descriptor is lent and given back by turns, and never are more than N lent. From that it
/// follows who has it, nearly always. Positions count from used.idx: used entries are below 0, and avail entries
/// below `outstanding`.
namespace tool::inspection {

struct ring_history {
    std::int32_t size = 0;         ///< N.
    std::int32_t outstanding = 0;  ///< Lent and not back, 0 to N.
    /// By descriptor, the positions of its entries, ascending.
    std::vector<std::vector<std::int32_t>> avail;
    std::vector<std::vector<std::int32_t>> used;
    std::int32_t avail_remembered = 0;  ///< Entries, N or fewer.
    std::int32_t used_remembered = 0;
    bool avail_has_more = false;  ///< There were older ones, which are forgotten.
    bool used_has_more = false;
};

enum class contradiction : std::uint8_t {
    none,
    lent_twice,  ///< Made available again while the device had it.
    never_lent,  ///< Given back, and it was not the device's.
};

struct holder {
    bool is_device = false;
    bool is_certain = true;
    bool is_taken = false;  ///< By the device, for certain.
    contradiction broken = contradiction::none;
};

/// One for each descriptor.
[[nodiscard]] std::vector<holder> find_holders(const ring_history& rings);

}  // namespace tool::inspection
