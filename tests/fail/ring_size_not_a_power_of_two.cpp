// EXPECT: ring size must be a power of two
#include <rpmsg/policy/ring_size.hpp>

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::ring_of<16> sixteen;
#else
rpmsg::policy::ring_of<17> seventeen;
#endif
