// EXPECT: nodiscard
#include <rpmsg/result.hpp>

rpmsg::result<void> act() noexcept;

#ifdef RPMSG_FAIL_FIXED
bool caller() { return act().has_value(); }
#else
void caller() { act(); }
#endif
