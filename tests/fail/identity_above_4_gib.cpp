// EXPECT: the window ends above 4 GiB
#include <rpmsg/policy/address_map.hpp>

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::address_map auto map = rpmsg::policy::identity<0xffff'f000, 0x1000>{};
#else
rpmsg::policy::address_map auto map = rpmsg::policy::identity<0xffff'f000, 0x1001>{};
#endif
