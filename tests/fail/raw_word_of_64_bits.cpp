// EXPECT: constraints not satisfied
#include <rpmsg/wire/little_endian.hpp>

#ifdef RPMSG_FAIL_FIXED
auto* word(rpmsg::wire::le32& number) { return &number.raw(); }
#else
auto* word(rpmsg::wire::le64& number) { return &number.raw(); }
#endif
