// Both roles in one image, each with its own endpoint.
#include "board.hpp"

namespace {

constinit rpmsg::immortal<rpmsg::device_bus<board>> device{board::resources};
constinit rpmsg::immortal<rpmsg::driver_bus<board>> driver{
    board::resources,
    rpmsg::buffer_pool{.to_driver = std::span{buffers, 32 * rpmsg::wire::default_buffer_size}}};
constinit rpmsg::immortal device_echo{device, echo_back};
constinit rpmsg::immortal driver_echo{driver, echo_back};

}  // namespace

int main()
{
    static_cast<void>(device_echo.open("rpmsg-echo"));
    static_cast<void>(driver_echo.open("rpmsg-echo"));
    for (;;) {
        device.poll();
        driver.poll();
    }
}
