// The demo's device as firmware: tools/demo firmware runs it beside the demo's driver.
#include "../../demo/counting.hpp"
#include "../../demo/services.hpp"
#include "link.hpp"
#include "machine.hpp"

#include <rpmsg/rpmsg.hpp>

#include <cstdint>

extern "C" {
[[gnu::section(".resource_table"), gnu::used]] constinit auto resource_table =
    firmware_link::layout.plain_table();
}

namespace {
struct board : demo::counted<machine::board<0>> {
    using ring = rpmsg::policy::ring_up_to<64>;
};
constinit std::uint32_t doorbells = 0;

constexpr auto counting_models() noexcept
{
    rpmsg::policy::set<board> all{};
    all.doorbell.count_into(doorbells);
    return all;
}
constinit rpmsg::immortal<rpmsg::device_bus<board>> bus{rpmsg::virtio::resource_table{resource_table.vdev},
                                                        counting_models()};
}  // namespace

int main()
{
    machine::start();
    demo::sample_source source;  // no clock that the process shares
    demo::frame_sink sink;
    const auto quiet = [](rpmsg::name) { return rpmsg::on_bound{[](rpmsg::address) {}}; };
    const auto sleep = [] {
        // Whoever waits for a buffer is woken by its return: there is nothing to look at meanwhile.
        machine::sleep_unless([] { return bus.has_work(); });
        return true;
    };
    static_cast<void>(demo::offer_services(bus, source, sink, doorbells, quiet, sleep));
    machine::finish(2);  // an endpoint could not be opened
}
