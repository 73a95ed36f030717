// EXPECT: no matching
#include <rpmsg/policy/address_map.hpp>

using rpmsg::policy::offset;

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::windows<2> map{offset{}, offset{}};
#else
rpmsg::policy::windows<1> map{offset{}, offset{}};
#endif
