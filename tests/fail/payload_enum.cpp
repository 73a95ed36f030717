// EXPECT: rpmsg::typed<T>: T is or has an enum: use rpmsg::wire::little_endian<E>
#include <rpmsg/wire/payload.hpp>

#include <cstdint>

enum class colour : std::uint8_t { red, green };

struct message {
#ifdef RPMSG_FAIL_FIXED
    rpmsg::wire::little_endian<colour> tint;
#else
    colour tint;
#endif
};

void check() { rpmsg::wire::require_payload<message>(); }
