#include <rpmsg/platform/linux/char_ioctl.hpp>

#include "support/catch.hpp"

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>

using namespace rpmsg::platform;
using rpmsg::errc;

// @spec Linux include/uapi/linux/rpmsg.h, struct rpmsg_endpoint_info
// @spec Linux include/uapi/linux/rpmsg.h, RPMSG_CREATE_EPT_IOCTL
TEST_CASE("what is asked of a control device has the kernel's numbers and layout", "[platform]")
{
    // Of most architectures: MIPS, PowerPC and SPARC encode them otherwise.
    CHECK(char_ioctl::create_endpoint == 0x4028'b501);
    CHECK(char_ioctl::destroy_endpoint == 0x0000'b502);
    CHECK(char_ioctl::create_channel == 0x4028'b503);
    CHECK(char_ioctl::release_channel == 0x4028'b504);

    const char_request made{"rpmsg-raw", rpmsg::address{0x1234}, rpmsg::any_address};
    const auto* const bytes = reinterpret_cast<const char*>(&made);
    CHECK(std::string{bytes, 10} == std::string{"rpmsg-raw\0", 10});
    std::uint32_t number = 0;
    std::memcpy(&number, bytes + 32, sizeof number);
    CHECK(number == 0x1234);
    std::memcpy(&number, bytes + 36, sizeof number);
    CHECK(number == 0xFFFF'FFFF);
}

TEST_CASE("a name of more than 31 characters is cut, and ends with a zero", "[platform]")
{
    const std::string text(40, 'x');
    const char_request made{text, {}, {}};
    CHECK(std::string{made.name.data()} == std::string(31, 'x'));
}

TEST_CASE("a file that is no control device refuses", "[platform]")
{
    const file_descriptor null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    REQUIRE(null);
    CHECK(ask(null, char_ioctl::create_endpoint, {"x", {}, {}}).error() == errc::system);
    CHECK(errno == ENOTTY);
}
