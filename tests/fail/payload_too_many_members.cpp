// EXPECT: rpmsg::typed<T>: T is or has a struct with more than 24 members
#include <rpmsg/wire/payload.hpp>

struct message {
#ifdef RPMSG_FAIL_FIXED
    char a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x;
#else
    char a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
