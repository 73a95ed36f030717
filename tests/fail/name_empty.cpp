// EXPECT: a channel's name must not be empty
#include <rpmsg/name_service/name.hpp>

#ifdef RPMSG_FAIL_FIXED
extern const rpmsg::name channel;
constinit const rpmsg::name channel{"a"};
#else
extern const rpmsg::name channel;
constinit const rpmsg::name channel{""};
#endif
