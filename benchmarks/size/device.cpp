// The device's minimal image: announces one endpoint, echoes, and comes back after the driver restarted.
#include "board.hpp"

namespace {

constinit rpmsg::immortal<rpmsg::device_bus<board>> bus{board::resources};
constinit rpmsg::immortal echo{bus, echo_back};

}  // namespace

int main()
{
    static_cast<void>(echo.open("rpmsg-echo"));
    for (;;)
        bus.poll();
}
