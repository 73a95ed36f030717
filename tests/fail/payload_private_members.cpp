// EXPECT: rpmsg::typed<T>: T is or has a class that cannot be looked into
#include <rpmsg/wire/payload.hpp>

#include <chrono>
#include <cstdint>

struct message {
#ifdef RPMSG_FAIL_FIXED
    std::int64_t seconds_since;
#else
    std::chrono::seconds since;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
