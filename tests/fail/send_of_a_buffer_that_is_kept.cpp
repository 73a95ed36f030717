// EXPECT: deleted
// Sending consumes the buffer, so it is an rvalue's: nobody sends it twice by accident.
#include <rpmsg/rpmsg.hpp>

struct board : rpmsg::policy::board_defaults {
    using address_map = rpmsg::policy::identity<0x2000'0000, 0x8000>;
};

void check(rpmsg::device_bus<board>& bus)
{
    rpmsg::endpoint out{bus};
    auto buffer = out.try_acquire();
#ifdef RPMSG_FAIL_FIXED
    static_cast<void>(std::move(buffer).send(1));
#else
    static_cast<void>(buffer.send(1));
#endif
}
