// EXPECT: bit-field
#include <rpmsg/wire/payload.hpp>

#include <cstdint>

struct message {
#ifdef RPMSG_FAIL_FIXED
    std::uint8_t low_and_high;
#else
    std::uint8_t low : 4;
    std::uint8_t high : 4;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
