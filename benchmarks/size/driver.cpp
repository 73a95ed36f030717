// The driver's minimal image: binds one endpoint by name, echoes, and comes back after the device restarted.
#include "board.hpp"

namespace {

constinit rpmsg::immortal<rpmsg::driver_bus<board>> bus{
    board::resources,
    rpmsg::buffer_pool{.to_driver = std::span{buffers, 32 * rpmsg::wire::default_buffer_size}}};
constinit rpmsg::immortal echo{bus, echo_back};

}  // namespace

int main()
{
    static_cast<void>(echo.open("rpmsg-echo"));
    for (;;)
        bus.poll();
}
