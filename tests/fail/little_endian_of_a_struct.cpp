// EXPECT: little_endian takes numbers and enumerations
#include <rpmsg/wire/little_endian.hpp>

struct pair {
    short first;
    short second;
};

#ifdef RPMSG_FAIL_FIXED
rpmsg::wire::little_endian<short> both[2];
#else
rpmsg::wire::little_endian<pair> both;
#endif
