// EXPECT: rpmsg::typed<T>: T is or has an empty struct: there is nothing to send
#include <rpmsg/wire/payload.hpp>

struct message {
#ifdef RPMSG_FAIL_FIXED
    char one;
#else
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
