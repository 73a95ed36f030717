// EXPECT: rpmsg::typed<T>: T is or has a pointer, which means nothing to the peer
#include <rpmsg/wire/payload.hpp>

#include <array>

struct message {
#ifdef RPMSG_FAIL_FIXED
    std::array<char, 8> name;
#else
    const char* name;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
