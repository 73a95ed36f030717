// EXPECT: 'bool'
#include <rpmsg/result.hpp>

rpmsg::result<int> answer() noexcept;

#ifdef RPMSG_FAIL_FIXED
bool done() { return answer().has_value(); }
#else
bool done() { return answer(); }
#endif
