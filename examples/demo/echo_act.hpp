#pragma once

#include "stage.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace demo {

/// Looks at what comes back, where it lies.
class echo_check {
public:
    void expect(std::size_t size, std::uint32_t number) noexcept { *this = {size, number, false, false}; }
    void hear(rpmsg::message in) noexcept
    {
        came_ = true;
        equal_ = in.size() == size_ && is_intact(std::span{in.payload()}, number_);
    }
    [[nodiscard]] bool came() const noexcept { return came_; }
    [[nodiscard]] bool is_equal() const noexcept { return equal_; }

    echo_check() noexcept = default;

private:
    echo_check(std::size_t size, std::uint32_t number, bool came, bool equal) noexcept
        : size_{size},
          number_{number},
          came_{came},
          equal_{equal}
    {}

    std::size_t size_ = 0;
    std::uint32_t number_ = 0;
    bool came_ = false;
    bool equal_ = false;
};

/// Payloads that grow from 1 byte to the longest, one at a time, there and back.
template <typename Bus, typename Echo>
row run_echo(stage<Bus>& on, Echo& echo, echo_check& check)
{
    row seen{.channel = echo_channel.c_str()};
    meter measured{on};
    const std::size_t longest = on.bus.max_payload();
    // A number that is too small for every size takes longer steps.
    const auto steps = on.chosen.messages.value_or(0);
    const bool in_steps = steps > 1 && steps < longest;

    std::vector<std::byte> payload(longest);
    std::uint32_t sent = 0;
    for (; !measured.enough().reached(sent); ++sent) {
        const auto size = 1 + (in_steps ? sent * (longest - 1) / (steps - 1) : sent % longest);
        const auto text = std::span{payload}.first(size);
        fill(text, sent);
        check.expect(size, sent);

        const auto begin = monotonic::now();
        on.await("a free buffer", [&] { return echo.try_send(text).has_value(); });
        on.await("an echo", [&] { return check.came(); });
        seen.round_trips.add(monotonic::now() - begin);
        seen.bytes += 2 * size;
        seen.errors += check.is_equal() ? 0U : 1U;
        if (on.out.wants_progress())
            on.out.progress("echo", measured.enough().share(sent),
                            fmt::format("{} bytes, {} echoes so far", size, grouped(sent)));
    }
    seen.messages = 2 * std::uint64_t{sent};
    seen = measured.finish(std::move(seen));
    on.out.verdict(
        "echo", seen.errors == 0,
        fmt::format("{} payloads of 1 to {} bytes came back, {}", grouped(sent), longest,
                    seen.errors == 0 ? "as they were" : grouped(seen.errors) + " of them changed"));
    return seen;
}

}  // namespace demo
