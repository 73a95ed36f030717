#pragma once

/// @file
/// What the two cores say to each other. Both include it, whatever their kinds.

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace app {

/// Messages of each kind that go each way before the counts are compared.
inline constexpr std::uint32_t rounds = 10'000;

/// The addresses of the endpoints that are not announced.
inline constexpr rpmsg::address static_of_driver{0x20};
inline constexpr rpmsg::address static_of_device{0x21};
inline constexpr rpmsg::address questions_of_driver{0x30};
inline constexpr rpmsg::address answers_of_driver{0x31};
inline constexpr rpmsg::address questions_of_device{0x32};
inline constexpr rpmsg::address answers_of_device{0x33};

/// What the driver asks of the device.
enum class request : std::uint32_t {
    report,   ///< What it counted.
    stream,   ///< So many numbered messages, built in place.
    ask,      ///< So many questions, from inside its receivers, while it is asked the same.
    appear,   ///< A channel of which nobody knows yet.
    restart,  ///< Begins anew, as if a watchdog had bitten.
};

struct order {
    std::uint32_t what;  ///< request
    std::uint32_t number;
};

/// What the device counted, and its checksum of all payloads that it received.
struct report {
    std::uint32_t lives;     ///< How often it began.
    std::uint32_t received;  ///< By "fw.count".
    std::uint32_t checksum;
    std::uint32_t answered;  ///< Of its own questions.
    std::uint32_t wrong;     ///< Whatever was not as it should be.
    std::uint32_t held;      ///< By "fw.hold", at most at a time.
    std::uint32_t dropped;   ///< By its buses, for any cause.
};

/// One of many: built and read in place.
struct numbered {
    std::uint32_t number;
    std::uint32_t filling;
};

/// Fletcher's sum over bytes, for payloads of any length.
class checksum {
public:
    constexpr void add(std::span<const std::byte> bytes) noexcept
    {
        for (const auto byte : bytes) {
            low_ = (low_ + std::to_integer<std::uint32_t>(byte)) % 65535;
            high_ = (high_ + low_) % 65535;
        }
    }
    [[nodiscard]] constexpr std::uint32_t value() const noexcept { return high_ << 16U | low_; }

private:
    std::uint32_t low_ = 1;
    std::uint32_t high_ = 0;
};

/// Questions as fast as there are buffers, and answers to the other side's: each end sends inside its receivers
/// while all buffers are in use.
template <typename Bus>
class questions {
public:
    questions(Bus& bus, rpmsg::address from, rpmsg::address to) noexcept
        : asks_{bus, rpmsg::typed<numbered>, counter{this}}
    {
        good_ = asks_.open(from, rpmsg::towards{to}).has_value();
    }
    /// Asks on; whether all were answered, in order.
    bool ask(std::uint32_t many) noexcept
    {
        while (asked_ != many && asks_.try_send(numbered{asked_, ~asked_}))
            ++asked_;
        return answered_ == many;
    }
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] std::uint32_t answered() const noexcept { return answered_; }

private:
    struct counter {
        questions* whose;
        void operator()(const numbered& answer) const noexcept
        {
            whose->good_ =
                whose->good_ && answer.number == whose->answered_ && answer.filling == ~answer.number;
            ++whose->answered_;
        }
    };

    std::uint32_t asked_ = 0;
    std::uint32_t answered_ = 0;
    bool good_ = true;
    rpmsg::endpoint<typename Bus::basic, numbered, counter> asks_;
};

}  // namespace app
