// EXPECT: EVENT_IDX must not be offered to them
#include <rpmsg/policy/dialect.hpp>

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::zephyr_static_vrings peer;
#else
rpmsg::policy::with_event_idx<rpmsg::policy::zephyr_static_vrings> peer;
#endif
