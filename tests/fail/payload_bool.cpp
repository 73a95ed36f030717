// EXPECT: rpmsg::typed<T>: T is or has a bool: use rpmsg::wire::boolean
#include <rpmsg/wire/payload.hpp>

struct message {
#ifdef RPMSG_FAIL_FIXED
    rpmsg::wire::boolean on;
#else
    bool on;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
