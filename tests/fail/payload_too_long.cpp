// EXPECT: rpmsg::typed<T>: T is longer than the longest payload
#include <rpmsg/wire/payload.hpp>

#include <array>

struct message {
#ifdef RPMSG_FAIL_FIXED
    std::array<char, 65519> text;
#else
    std::array<char, 65520> text;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
