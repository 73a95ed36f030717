// EXPECT: rpmsg::typed<T>: T is or has a long double
#include <rpmsg/wire/payload.hpp>

struct message {
#ifdef RPMSG_FAIL_FIXED
    double value;
#else
    long double value;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
