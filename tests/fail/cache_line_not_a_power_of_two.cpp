// EXPECT: a cache line is a power of two
#include <rpmsg/policy/coherence.hpp>

struct lines {
    static void clean_line(const void* line) noexcept;
    static void invalidate_line(const void* line) noexcept;
    static void complete() noexcept;
};

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::cached<64, lines> coherence;
#else
rpmsg::policy::cached<48, lines> coherence;
#endif
