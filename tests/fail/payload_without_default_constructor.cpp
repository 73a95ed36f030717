// EXPECT: rpmsg::typed<T>: T has a member without a default constructor
#include <rpmsg/wire/payload.hpp>

struct strict {
    explicit strict(int) {}
};

struct message {
#ifdef RPMSG_FAIL_FIXED
    rpmsg::wire::le32 value{3};
#else
    strict value{3};
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
