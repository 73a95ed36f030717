// EXPECT: have no config space: buffer sizes cannot be negotiated
#include <rpmsg/policy/dialect.hpp>

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::with_buffer_sizes<rpmsg::policy::openamp> peer;
#else
rpmsg::policy::with_buffer_sizes<rpmsg::policy::rpmsg_lite> peer;
#endif
