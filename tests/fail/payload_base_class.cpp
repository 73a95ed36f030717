// EXPECT: rpmsg::typed<T>: T is or has a struct with a base class: make it a member
#include <rpmsg/wire/payload.hpp>

struct tag {};

#ifdef RPMSG_FAIL_FIXED
struct message {
#else
struct message : tag {
#endif
    int number;
};

void check() { rpmsg::wire::require_payload<message>(); }
