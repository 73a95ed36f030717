// EXPECT: a bool has no wire form: use wire::boolean
#include <rpmsg/wire/little_endian.hpp>

#ifdef RPMSG_FAIL_FIXED
rpmsg::wire::boolean flag;
#else
rpmsg::wire::little_endian<bool> flag;
#endif
