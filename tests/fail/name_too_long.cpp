// EXPECT: a channel's name has at most 31 characters
// @spec Linux include/linux/mod_devicetable.h, RPMSG_NAME_SIZE
#include <rpmsg/name_service/name.hpp>

#ifdef RPMSG_FAIL_FIXED
extern const rpmsg::name channel;
constinit const rpmsg::name channel{"rpmsg-1234567890123456789012345"};
#else
extern const rpmsg::name channel;
constinit const rpmsg::name channel{"rpmsg-12345678901234567890123456"};
#endif
