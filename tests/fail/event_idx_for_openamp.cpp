// EXPECT: EVENT_IDX must not be offered to them
// @spec virtio 1.2, 6
#include <rpmsg/policy/dialect.hpp>

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::with_event_idx<rpmsg::policy::linux_kernel> peer;
#else
rpmsg::policy::with_event_idx<rpmsg::policy::openamp> peer;
#endif
