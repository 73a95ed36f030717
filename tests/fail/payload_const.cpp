// EXPECT: rpmsg::typed<T>: T must be an object type without const, volatile or []
#include <rpmsg/wire/payload.hpp>

#ifdef RPMSG_FAIL_FIXED
void check() { rpmsg::wire::require_payload<int>(); }
#else
void check() { rpmsg::wire::require_payload<const int>(); }
#endif
