// EXPECT: rpmsg::typed<T>: T has padding; reorder its members or add explicit ones
#include <rpmsg/wire/payload.hpp>

#include <array>
#include <cstdint>

struct padded {
    float value;
    std::uint8_t unit;
};
struct filled {
    float value;
    std::uint8_t unit;
    std::uint8_t spare[3];
};

struct message {
#ifdef RPMSG_FAIL_FIXED
    std::array<filled, 4> all;
#else
    std::array<padded, 4> all;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
