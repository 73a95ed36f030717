// EXPECT: little_endian takes numbers of 1, 2, 4 or 8 bytes
#include <rpmsg/wire/little_endian.hpp>

#ifdef RPMSG_FAIL_FIXED
rpmsg::wire::little_endian<double> number;
#else
rpmsg::wire::little_endian<long double> number;
#endif
