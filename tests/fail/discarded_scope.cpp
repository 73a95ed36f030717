// EXPECT: nodiscard
#include <rpmsg/policy/exclusion.hpp>

#ifdef RPMSG_FAIL_FIXED
void work(rpmsg::policy::no_exclusion& lock) { const rpmsg::policy::scope held{lock}; }
#else
void work(rpmsg::policy::no_exclusion& lock) { rpmsg::policy::scope{lock}; }
#endif
