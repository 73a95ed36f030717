// EXPECT: nodiscard
#include <rpmsg/result.hpp>

rpmsg::result<int> answer() noexcept;

int caller()
{
#ifdef RPMSG_FAIL_FIXED
    return answer().value_or(0);
#else
    answer();
    return 0;
#endif
}
