// EXPECT: rpmsg::typed<T>: T is or has a union: send its bytes
#include <rpmsg/wire/payload.hpp>

#include <cstddef>
#include <cstdint>

union either {
    std::uint32_t number;
    float real;
};

struct message {
#ifdef RPMSG_FAIL_FIXED
    std::byte value[4];
#else
    either value;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
