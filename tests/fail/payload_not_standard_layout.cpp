// EXPECT: rpmsg::typed<T>: T is not standard layout
#include <rpmsg/wire/payload.hpp>

struct message {
#ifdef RPMSG_FAIL_FIXED
    int target;
#else
    int& target;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
