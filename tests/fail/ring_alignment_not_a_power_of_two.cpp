// EXPECT: a used ring is aligned to a power of two, 4 to 65536
#include <rpmsg/policy/ring_size.hpp>

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::ring_of<16, 16> aligned;
#else
rpmsg::policy::ring_of<16, 24> misaligned;
#endif
