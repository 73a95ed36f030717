// EXPECT: ring size must be a power of two
// @spec virtio 1.2, 2.7
#include <rpmsg/policy/ring_size.hpp>

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::ring_of<16> sixteen;
#else
rpmsg::policy::ring_of<17> seventeen;
#endif
