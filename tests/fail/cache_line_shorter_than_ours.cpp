// EXPECT: the longer line of both sides is not shorter than this side's
#include <rpmsg/policy/coherence.hpp>

#include <cstddef>

struct lines {
    static constexpr std::size_t line = 64;
    static void clean_line(const void* at) noexcept;
    static void invalidate_line(const void* at) noexcept;
    static void complete() noexcept;
};

#ifdef RPMSG_FAIL_FIXED
rpmsg::policy::cached<64, lines> coherence;
#else
rpmsg::policy::cached<32, lines> coherence;
#endif
