// EXPECT: constraints not satisfied
#include <rpmsg/policy/board.hpp>

struct unmapped : rpmsg::policy::board_defaults {};
struct mapped : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::identity<0x2000'0000, 0x8000>;
};

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::set<mapped> policies;
#else
rpmsg::policy::set<unmapped> policies;
#endif
