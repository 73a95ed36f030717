// EXPECT: rpmsg::typed<T>: T has padding; reorder its members or add explicit ones
#include <rpmsg/wire/payload.hpp>

#include <cstdint>

struct message {
#ifdef RPMSG_FAIL_FIXED
    std::uint8_t small;
    std::uint8_t spare[3];
    std::uint32_t large;
#else
    std::uint8_t small;
    std::uint32_t large;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
