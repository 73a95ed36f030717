// Typed payloads, built where the peer reads them: no copy on the way out, and none on the way in.
// Padding, bool, enum or pointers in a payload do not compile; neither does sending a buffer twice.
// That nothing is copied can be seen here, as both ends are in one process: the sample stays where it is.
#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <fmt/core.h>

namespace {

struct sample {
    std::uint32_t when;
    std::array<std::int16_t, 2> axis;
};

sample read_imu()
{
    static std::uint32_t now = 0;
    ++now;
    return {now * 10,
            {static_cast<std::int16_t>(now), static_cast<std::int16_t>(-2 * static_cast<int>(now))}};
}

}  // namespace

int main()
{
    rpmsg::testing::loopback<> link;
    const void* received_at = nullptr;
    int received = 0;

    // in_place looks at the peer's memory; a receiver of (const sample&) would get a private copy.
    rpmsg::endpoint recorder{link.driver(), rpmsg::typed<sample>,
                             [&](rpmsg::in_place<const sample&> s, rpmsg::address from) {
                                 fmt::print("{} at {} ms: ({}, {})\n", from, s->when, s->axis[0], s->axis[1]);
                                 received_at = &*s;
                                 ++received;
                             }};
    rpmsg::endpoint sensor{link.device(), rpmsg::typed<sample>,
                           [](const sample& /*echo*/, rpmsg::address /*from*/) {}};

    if (!recorder.open("imu") || !sensor.open("imu") || !link.run())
        return 1;

    for (int i = 0; i != 3; ++i) {
        const void* built_at = nullptr;
        if (auto slot = sensor.try_acquire()) {  // a tx_buffer<sample>: ours until sent or dropped
            *slot = read_imu();
            built_at = &*slot;
            if (!std::move(slot).send())  // consumes it; sending twice does not compile
                return 1;
        }
        link.run();
        fmt::print("  built and read at the same place: {}\n", built_at == received_at);
        if (built_at != received_at)
            return 1;
    }

    // Somebody sends what is no sample: it never reaches the receiver.
    rpmsg::endpoint stranger{link.device()};
    constexpr std::array<std::byte, 3> too_short{};
    if (!stranger.open(rpmsg::towards{recorder.local()}) || !stranger.try_send(too_short) || !link.run())
        return 1;
    fmt::print("refused for their size: {}\n", link.driver().stats()[rpmsg::fault::wrong_size]);
    return received == 3 ? 0 : 1;
}
