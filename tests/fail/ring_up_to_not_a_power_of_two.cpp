// EXPECT: ring size must be a power of two
// @spec virtio 1.2, 2.7
#include <rpmsg/policy/ring_size.hpp>

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::ring_up_to<64> size;
#else
rpmsg::policy::ring_up_to<48> size;
#endif
