#pragma once

namespace rpmsg {

/// While it lives, sends do not ring: one doorbell at its end tells of all of them.
///
/// @code
/// {
///     const rpmsg::batch together{bus};
///     for (const auto& s : samples)
///         sensor.try_send(s);
/// }
/// @endcode
/// A call that waits for a buffer rings first. Batches nest, up to 255.
template <typename Bus>
class [[nodiscard]] batch {
public:
    explicit batch(Bus& owner) noexcept : bus_{owner} { bus_.begin_batch(); }
    ~batch() { bus_.end_batch(); }
    batch(const batch&) = delete;
    batch& operator=(const batch&) = delete;

private:
    Bus& bus_;
};

}  // namespace rpmsg
