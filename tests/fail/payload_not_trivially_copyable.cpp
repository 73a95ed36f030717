// EXPECT: rpmsg::typed<T>: T is not trivially copyable
#include <rpmsg/wire/payload.hpp>

#include <string>

struct message {
#ifdef RPMSG_FAIL_FIXED
    char text[16];
#else
    std::string text;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
